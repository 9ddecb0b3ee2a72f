package view_test

import (
	"fmt"
	"os"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// A finished report is written for people as text.
func ExampleText() {
	rep := report.New(report.Request{Server: "https://salt.example.com:4510/", Project: "shop", Deployment: "prod"})
	defer func() { _ = rep.Close() }()
	target := rep.Targets[0]
	target.Bundle.Digest = "sha256:17e6e94b2a7d"
	_, err := target.Add(client.Event{Name: client.DeployBundle, Msg: "Deploying bundle"})
	target.Finish(err)
	rep.Finish()
	if err := view.Text(os.Stdout, rep, view.TextOptions{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Bundle:  sha256:17e6e94b2a7d
	// Success: shop/prod deployed, without a highstate
}

// People choose a format by its name.
func ExampleFind() {
	format, ok := view.Find("html")
	fmt.Println(format.File, ok)
	// Output: report.html true
}

//go:build mage

// What this repository does: go tool mage lists it.
package main

import (
	"cmp"
	"context"
	"net/http"
	"os"

	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"

	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
	"github.com/spirostack/spirodeploy/spirodeploy/token"

	//mage:import spiro
	"github.com/spirostack/spirodeploy/spirodeploy/targets"
)

const (
	server  = "https://salt.example.com:4510/" // where SPIRO_URL says nothing else
	program = "build/shop"
)

// With these, "go tool mage spiro:deploy shop prod" needs no flag.
func init() {
	targets.Defaults = targets.Options{
		Server: server, Artifacts: []string{program},
		Reports: []string{"html=report.html", "junit=report.xml"}, RequireMinions: true,
	}
}

// Build builds the program, into build.
func Build() error {
	return sh.RunWith(map[string]string{"CGO_ENABLED": "0"}, "go", "build", "-trimpath", "-o", program, ".")
}

// Release builds the program and deploys it to prod, with the token in SPIRO_TOKEN.
func Release(ctx context.Context) error {
	mg.CtxDeps(ctx, Build)
	tok, err := token.Parse(os.Getenv("SPIRO_TOKEN"))
	if err != nil {
		return err
	}
	rep, err := spirodeploy.Deploy(ctx, spirodeploy.Options{
		Project: "shop", Deployment: "prod", RequireMinions: true,
		Server: client.Options{
			Server: cmp.Or(os.Getenv("SPIRO_URL"), server), Token: tok, Proxy: http.ProxyFromEnvironment,
		},
		Bundle: bundle.Options{Artifacts: []bundle.Artifact{{Path: program}}},
		Watch:  view.Story(os.Stderr, view.StoryOptions{}),
	})
	defer func() { _ = rep.Close() }() // what is in its temporary file has been shown by then
	if showErr := view.Text(os.Stdout, rep, view.TextOptions{}); err == nil {
		return showErr
	}
	// As it is: wrapped, mage would not see its exit status.
	return err
}

package spirodeploy_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// deploy is the example in the README. A test compares them.
func deploy(ctx context.Context) error {
	tok, err := token.Parse(os.Getenv("SPIRO_TOKEN"))
	if err != nil {
		return err
	}
	rep, err := spirodeploy.Deploy(ctx, spirodeploy.Options{
		Project: "shop", Deployment: "prod",
		Server: client.Options{Server: "https://salt.example.com:4510/", Token: tok},
		Bundle: bundle.Options{Artifacts: []bundle.Artifact{{Path: "build/shop"}}},
		Watch:  view.Story(os.Stderr, view.StoryOptions{}),
	})
	defer func() { _ = rep.Close() }() // there is a report even with an error; large results are in a temporary file
	for _, m := range rep.Targets[0].Minions {
		fmt.Println(m.ID, m.Status, m.Counts.Changed)
	}
	return err // nil only if everything that was asked for happened
}

// Deploy a project to a test server where one minion fails.
func ExampleDeploy() {
	_ = deploy // this is all it takes with a real server

	dir, err := os.MkdirTemp("", "project")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Mkdir(filepath.Join(dir, "_salt"), 0o755); err != nil {
		log.Print(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, "_salt", "spirotop.sls"), []byte("prod: {'*': [web]}\n"), 0o600); err != nil {
		log.Print(err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, "_salt", "web.sls"), []byte("web: {}\n"), 0o600); err != nil {
		log.Print(err)
		return
	}
	server, err := spirotest.Start(spirotest.Options{Minions: []spirotest.Minion{
		{ID: "web1"},
		{ID: "web2", Result: spirotest.NotCompiled("Rendering SLS 'shop/prod:web' failed")},
	}})
	if err != nil {
		log.Print(err)
		return
	}
	defer server.Close()
	tok, err := token.Parse(server.Token(time.Minute, "shop"))
	if err != nil {
		log.Print(err)
		return
	}

	rep, err := spirodeploy.Deploy(context.Background(), spirodeploy.Options{
		Project: "shop", Deployment: "prod",
		Server: client.Options{Server: server.URL(), Token: tok, Insecure: true},
		Bundle: bundle.Options{Dir: dir},
	})
	defer func() { _ = rep.Close() }()
	for _, m := range rep.Targets[0].Minions {
		fmt.Println(m.ID, m.Status)
	}
	fmt.Println(err)
	var verdict *report.Error
	if errors.As(err, &verdict) {
		fmt.Println("exit status", verdict.ExitStatus())
	}
	// Output:
	// web1 succeeded
	// web2 not-compiled
	// shop/prod: 1 of 2 minions failed (web2)
	// exit status 1
}

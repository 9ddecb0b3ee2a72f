package spirodeploy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// start starts a server for tests. It returns options that deploy two files to it.
func start(minions ...spirotest.Minion) (*spirotest.Server, spirodeploy.Options) {
	server, err := spirotest.Start(spirotest.Options{Minions: minions})
	if err != nil {
		log.Fatal(err)
	}
	tok, err := token.Parse(server.Token(time.Minute, "shop"))
	if err != nil {
		log.Fatal(err)
	}
	return server, spirodeploy.Options{
		Project: "shop", Deployment: "prod",
		Server: client.Options{Server: server.URL(), Token: tok, Insecure: true},
		Bundle: bundle.Options{
			Dir: os.TempDir(), // only .gitcommit would come from there
			Files: map[string][]byte{
				"spirotop.sls": []byte("prod: {'*': [web]}\n"), "web.sls": []byte("nginx: {service.running: []}\n"), bundle.GitCommitFile: nil,
			},
		},
	}
}

// nginxFails is the result of a minion with a state that failed.
var nginxFails = spirotest.States(
	spirotest.State{SLS: "web", ID: "motd", Function: "file.managed", Changes: map[string]any{"diff": "New file"}},
	spirotest.State{SLS: "web", ID: "nginx", Function: "service.running", Result: spirotest.Failed, Comment: "The named service nginx is not available"},
)

// Tell the ways to fail apart.
func ExampleDeploy_errors() {
	server, opts := start(spirotest.Minion{ID: "web1", Result: nginxFails})
	defer server.Close()
	wrongProject, noServer, unknownToken := opts, opts, opts
	wrongProject.Project = "blog"
	noServer.Server.Server = "https://127.0.0.1:1/"
	unknownToken.Server.Token, _ = token.Parse("secret")
	for _, o := range []spirodeploy.Options{opts, wrongProject, noServer, unknownToken} {
		rep, err := spirodeploy.Deploy(context.Background(), o)
		var (
			verdict   *report.Error
			unsent    *report.UnsentError
			transport *client.TransportError
			status    *client.StatusError
		)
		switch {
		case errors.As(err, &status):
			fmt.Println("the server answered", status.StatusCode)
		case errors.As(err, &transport):
			fmt.Println("no connection; was the bundle sent?", transport.BodySent)
		case errors.As(err, &unsent):
			fmt.Println("nothing was sent")
		case errors.As(err, &verdict) && verdict.Verdict == report.MinionFailed:
			fmt.Println("minions failed:", rep.Targets[0].Minions[0].ID)
		}
		if errors.As(err, &verdict) {
			fmt.Println("  exit status", verdict.ExitStatus())
		}
		_ = rep.Close()
	}
	// Output:
	// minions failed: web1
	//   exit status 1
	// nothing was sent
	//   exit status 2
	// no connection; was the bundle sent? false
	//   exit status 5
	// the server answered 401
	//   exit status 3
}

// Follow a run while it goes on.
func ExampleOptions_watch() {
	server, opts := start(spirotest.Minion{ID: "web1"}, spirotest.Minion{ID: "web2", Result: nginxFails})
	defer server.Close()
	opts.Watch = func(u report.Update) {
		switch {
		case u.Kind == report.Began:
			fmt.Println("stage", u.Stage)
		case u.Kind == report.Happened && u.Minion != nil:
			fmt.Println("  minion", u.Minion.ID, u.Minion.Status)
		case u.Kind == report.Finished:
			fmt.Println("verdict", u.Report.Verdict)
		}
	}
	rep, _ := spirodeploy.Deploy(context.Background(), opts) // the watcher has shown the verdict
	_ = rep.Close()
	// Output:
	// stage bundle
	// stage check
	// stage upload
	// stage deploy
	// stage highstate
	//   minion web1 succeeded
	//   minion web2 failed
	// verdict minion-failed
}

// Deploy one bundle to several servers.
func ExampleOptions_targets() {
	eu, opts := start(spirotest.Minion{ID: "eu1"})
	defer eu.Close()
	us, other := start(spirotest.Minion{ID: "us1"}, spirotest.Minion{ID: "us2", Result: nginxFails})
	defer us.Close()
	opts.Targets = []spirodeploy.Target{{Name: "eu", Server: &opts.Server}, {Name: "us", Server: &other.Server}}
	opts.Serial = true
	rep, err := spirodeploy.Deploy(context.Background(), opts)
	defer func() { _ = rep.Close() }()
	for _, target := range rep.Targets {
		fmt.Printf("%s: %s\n", target.Name, target.Verdict)
	}
	fmt.Println(err)
	// Output:
	// eu: success
	// us: minion-failed
	// us: shop/prod: 1 of 2 minions failed (us2)
}

// Read all that a minion did, even if its result is too large for memory.
func ExampleDeploy_details() {
	server, opts := start(spirotest.Minion{ID: "web1", Result: nginxFails})
	defer server.Close()
	rep, _ := spirodeploy.Deploy(context.Background(), opts) // the report has the error
	defer func() { _ = rep.Close() }()
	var results report.Results // reads one minion after the other
	for _, m := range rep.Targets[0].Minions {
		result, err := results.Of(m)
		if err != nil {
			log.Print(err)
			return
		}
		fmt.Println(m.ID, "failed:", m.Headline())
		for _, s := range result.States {
			fmt.Printf("  %s %s: %s\n", s.Function, s.ID, s.Outcome)
		}
	}
	// Output:
	// web1 failed: nginx (service.running): The named service nginx is not available
	//   file.managed motd: changed
	//   service.running nginx: bad
}

// Open a bundle, read a file in it, and deploy it.
func ExampleOptions_file() {
	server, opts := start(spirotest.Minion{ID: "web1"})
	defer server.Close()
	dir, err := os.MkdirTemp("", "bundle")
	if err != nil {
		log.Print(err)
		return
	}
	defer os.RemoveAll(dir)
	opts.File = filepath.Join(dir, "shop.tar")
	if err := write(opts); err != nil {
		log.Print(err)
		return
	}

	file, err := bundle.OpenFile(context.Background(), opts.File)
	if err != nil {
		log.Print(err)
		return
	}
	defer file.Close()
	for item := range file.Items() {
		fmt.Println(item.Name, item.Size)
	}
	in, err := file.OpenItem("spirotop.sls")
	if err != nil {
		log.Print(err)
		return
	}
	defer in.Close()
	text, err := io.ReadAll(in)
	fmt.Printf("%s%v\n", text, err)

	sum, err := file.Digest(context.Background())
	if err != nil {
		log.Print(err)
		return
	}
	opts.Bundle = bundle.Options{Digest: sum} // refuses any other
	rep, err := spirodeploy.Deploy(context.Background(), opts)
	defer func() { _ = rep.Close() }()
	fmt.Println(rep.Verdict, err)
	// Output:
	// spirotop.sls 19
	// web.sls 29
	// prod: {'*': [web]}
	// <nil>
	// success <nil>
}

// write writes the bundle that options describe to their File.
func write(opts spirodeploy.Options) error {
	b, err := bundle.New(context.Background(), opts.Bundle)
	if err != nil {
		return err
	}
	defer b.Close()
	out, err := os.Create(opts.File)
	if err != nil {
		return err
	}
	_, err = b.WriteTo(out)
	return errors.Join(err, out.Close())
}

// Package demo shows the main job. It bundles a real project and deploys it with the same
// code as the command, to a server in this process whose minions return what Salt
// returned for that project ([Played]), or to a real Salt master (package real).
package demo

import (
	"context"
	"embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/internal/dev/cmd"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// minions has results that Salt 3005.5 returned for examples/shop.
//
//go:embed minions/*.json
var minions embed.FS

// Options say what to show.
type Options struct {
	Dir    string // the example project
	Report string // where to write the reports: this name with .json and .html
	Fail   bool   // let a minion fail
	Stdout io.Writer
	Stderr io.Writer
}

// Stage starts a server and has the example deployed to it.
type Stage func(ctx context.Context, opts Options, deploy func(url, token string) error) error

// Main is the main function of a program that deploys examples/shop on a stage.
func Main(stage Stage) {
	fail := flag.Bool("fail", false, "let a minion fail")
	serve := flag.Bool("serve", false, "serve, and deploy nothing")
	flag.Parse()
	cmd.Main(func(ctx context.Context) error {
		opts := Options{
			Dir: filepath.Join("examples", "shop"), Report: "demo-report",
			Fail: *fail, Stdout: os.Stdout, Stderr: os.Stderr,
		}
		if *serve {
			return Serve(ctx, opts)
		}
		return Run(ctx, opts, stage)
	})
}

// Run bundles the example and deploys it on a stage. Its error is that of the
// deployment, with its exit status.
func Run(ctx context.Context, opts Options, stage Stage) error {
	digest, err := opts.bundle(ctx)
	if err != nil {
		return err
	}
	return stage(ctx, opts, func(url, token string) error { return opts.deploy(ctx, digest, url, token) })
}

// Played is the stage of a server in this process.
func Played(_ context.Context, opts Options, deploy func(url, token string) error) error {
	server, err := start(opts.Fail)
	if err != nil {
		return err
	}
	defer server.Close()
	opts.Say("# A SpiroFS server for tests, with three minions, runs at %s. This deploys to it:", server.URL())
	return deploy(server.URL(), server.Token(time.Hour, "shop"))
}

// start starts the server of the demo.
func start(fail bool) (*spirotest.Server, error) {
	played, err := play(fail)
	if err != nil {
		return nil, err
	}
	return spirotest.Start(spirotest.Options{Minions: played})
}

// Serve starts the server of the demo for whoever wants to try the command with it, and
// says how. It serves until ctx ends.
func Serve(ctx context.Context, opts Options) error {
	server, err := start(opts.Fail)
	if err != nil {
		return err
	}
	defer server.Close()
	opts.Say("# A SpiroFS server for tests, with three minions. In another terminal, with spiro-deploy (go build ./spirodeploy/cmd/spiro-deploy makes it; plain HTTP needs --insecure):")
	fmt.Fprintf(opts.Stdout, "export SPIRO_URL=%s SPIRO_TOKEN=%s\n", server.URL(), server.Token(24*time.Hour))
	opts.Say("spiro-deploy --dir examples/shop --artifact build/shop --insecure shop prod\n# Its minions answer any project as they would examples/shop. Ctrl-C ends it.")
	<-ctx.Done()
	opts.Say("# The server has ended.")
	return nil
}

// artifact is the output of the example's build.
const artifact = "build/shop"

// Say tells in a line what happens.
func (opts Options) Say(format string, args ...any) { fmt.Fprintf(opts.Stderr, format+"\n", args...) }

// bundle makes the bundle only to show its digest.
func (opts Options) bundle(ctx context.Context) (string, error) {
	opts.Say("# A project with Salt states, %s, and what its build made, as one reproducible file:", opts.Dir)
	b, err := bundle.New(ctx, bundle.Options{Dir: opts.Dir, Artifacts: []bundle.Artifact{{Path: artifact}}})
	if err != nil {
		return "", err
	}
	defer b.Close()
	digest, err := b.Digest(ctx)
	if err != nil {
		return "", err
	}
	opts.Say("%s  %d entries, %d bytes\n", digest, b.Len(), b.Size())
	return digest.String(), nil
}

// shown are the variables of the user's environment that change how things are shown.
var shown = []string{"NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "GITHUB_ACTIONS", "GITLAB_CI"}

// deploy deploys the example as the command does.
func (opts Options) deploy(ctx context.Context, digest, url, token string) error {
	opts.Say("$ cd %s && SPIRO_TOKEN=… spiro-deploy --server %s --insecure --artifact %s --report json=… --report html=… shop prod", opts.Dir, url, artifact)
	world := cli.World{
		Stdout: opts.Stdout, Stderr: opts.Stderr,
		Getenv: func(name string) string {
			if slices.Contains(shown, name) {
				return os.Getenv(name)
			}
			return map[string]string{"SPIRO_URL": url, "SPIRO_TOKEN": token}[name]
		},
	}
	err := world.Run(ctx, cli.Settings{
		Project: "shop", Deployment: "prod", Dir: opts.Dir, Artifacts: []string{artifact},
		Insecure: true, Digest: digest, Reports: []string{"json=" + opts.Report + ".json", "html=" + opts.Report + ".html"},
	})
	opts.Say("\n# All of that as a page: %[1]s.html, and for programs: %[1]s.json", opts.Report)
	return err
}

// play returns the minions with their recorded results.
func play(fail bool) ([]spirotest.Minion, error) {
	recorded := map[string]string{"web1": "web1", "web2": "web2", "db1": "db1"}
	if fail {
		recorded["web2"] = "web2-failed"
	}
	var played []spirotest.Minion
	for i, id := range []string{"web1", "db1", "web2"} {
		result, err := minions.ReadFile("minions/" + recorded[id] + ".json")
		if err != nil {
			return nil, err
		}
		played = append(played, spirotest.Minion{
			ID: id, Result: json.RawMessage(result), Delay: 1200*time.Millisecond + time.Duration(i)*400*time.Millisecond, // what their states took
		})
	}
	return played, nil
}

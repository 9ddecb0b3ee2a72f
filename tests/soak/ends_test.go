package soak_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// end is a way for a deployment to end.
type end struct {
	name     string
	verdicts []report.Verdict
	// server returns the scene's server for the deployment.
	server func(*scene) *spirotest.Server
	change func(*spirodeploy.Options)
	// interrupt has the run interrupted when the server has begun.
	interrupt bool
}

// ends are all ways to end. Every batch goes through them in turn.
var ends = []end{
	{name: "success", verdicts: []report.Verdict{report.Success}, server: good},
	{name: "failing minion", verdicts: []report.Verdict{report.MinionFailed}, server: func(s *scene) *spirotest.Server { return s.failing }},
	{name: "cut stream", verdicts: []report.Verdict{report.Unknown}, server: func(s *scene) *spirotest.Server { return s.cut }},
	{name: "refused token", verdicts: []report.Verdict{report.Refused}, server: good, change: func(o *spirodeploy.Options) {
		o.Server.Token, _ = token.Parse("none-of-this-server")
	}},
	{name: "changed digest", verdicts: []report.Verdict{report.Invalid}, server: good, change: func(o *spirodeploy.Options) {
		o.Bundle.Digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	}},
	// On a busy machine, the time is up before the bundle has been sent.
	{name: "time up", verdicts: []report.Verdict{report.Unknown, report.Unreachable}, server: slow, change: func(o *spirodeploy.Options) {
		o.Timeout = 100 * time.Millisecond
	}},
	{name: "interrupt", verdicts: []report.Verdict{report.Interrupted}, server: slow, interrupt: true},
}

func good(s *scene) *spirotest.Server { return s.good }
func slow(s *scene) *spirotest.Server { return s.slow }

// scene has the servers of one batch. They keep the bundles, so the next batch has new
// servers.
type scene struct {
	good, failing, cut, slow *spirotest.Server
	dir                      string // the project
}

// newScene starts the servers, with TLS or without.
func newScene(dir string, tls bool) (*scene, error) {
	s := &scene{dir: dir}
	start := func(minions ...spirotest.Minion) (*spirotest.Server, error) {
		return spirotest.Start(spirotest.Options{TLS: tls, Minions: minions})
	}
	failed := spirotest.States(spirotest.State{SLS: "app", ID: "broken", Function: "cmd.run", Name: "false", Result: spirotest.Failed, Comment: "it broke"})
	var errs [4]error
	s.good, errs[0] = start(spirotest.Minion{ID: "web1"}, spirotest.Minion{ID: "db1"})
	s.failing, errs[1] = start(spirotest.Minion{ID: "web1", Result: failed})
	s.cut, errs[2] = start()
	s.slow, errs[3] = start(spirotest.Minion{ID: "web1", Delay: time.Hour})
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.cut.Replay([]byte("event: deploy-bundle\ndata: {\"msg\": \"Deploying bundle\"}\n\nevent: highstate-ca"))
	return s, nil
}

func (s *scene) close() error {
	var errs []error
	for _, server := range []*spirotest.Server{s.good, s.failing, s.cut, s.slow} {
		if server != nil {
			errs = append(errs, server.Close())
		}
	}
	return errors.Join(errs...)
}

// deploy runs one deployment to its end, and returns what was wrong with it.
func (s *scene) deploy(ctx context.Context, e end) error {
	server := e.server(s)
	tok, err := token.Parse(server.Token(time.Hour, "shop"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	story := view.Story(io.Discard, view.StoryOptions{})
	opts := spirodeploy.Options{
		Project: "shop", Deployment: "prod",
		Server: client.Options{Server: server.URL(), Token: tok, Certificate: server.CertPEM(), Insecure: server.CertPEM() == nil},
		Bundle: bundle.Options{Dir: s.dir, Exclude: []string{"/" + bundle.GitCommitFile}}, // asking git takes most of the time
		Watch: func(u report.Update) {
			story(u)
			if e.interrupt && u.Kind == report.Happened {
				cancel(report.ErrInterrupted)
			}
		},
	}
	if e.change != nil {
		e.change(&opts)
	}
	rep, err := spirodeploy.Deploy(ctx, opts)
	if !slices.Contains(e.verdicts, rep.Verdict) {
		return fmt.Errorf("%s: the verdict is %s, want %s: %w", e.name, rep.Verdict, e.verdicts, err)
	}
	var views bytes.Buffer
	return errors.Join(view.Text(&views, rep, view.TextOptions{}), rep.WriteJSON(&views))
}

// project makes a small project.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := errors.Join(
		os.Mkdir(dir+"/_salt", 0o755),
		os.WriteFile(dir+"/_salt/spirotop.sls", []byte("prod: {'*': [app]}\n"), 0o644),
		os.WriteFile(dir+"/_salt/app.sls", bytes.Repeat([]byte("# nothing to do\n"), 10_000), 0o644),
	)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

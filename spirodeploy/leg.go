package spirodeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

// leg is the part of a run that concerns one target.
type leg struct {
	run       *run
	server    client.Options
	problems  []error // found before prepare
	target    *report.Target
	top       *topfile.Section // what the top file says of the deployment; nil if unknown
	silent    map[string]bool  // minions that did not answer the server
	otherEnvs bool             // minions apply SLS of other saltenvs, too
	foreign   foreign
	client    *client.Client
}

// newLeg returns a leg and the request for its part of the report. The caller sets the leg's
// target. newLeg removes the token from names, in case it was put there by mistake.
func newLeg(r *run, t Target) (*leg, report.Request) {
	l := &leg{run: r, silent: map[string]bool{}, server: r.opts.Server}
	if t.Server != nil {
		l.server = *t.Server
	}
	if l.server.Spell == nil {
		l.server.Spell = r.opts.Spell
	}
	request := report.Request{
		Name: t.Name, Project: cmp.Or(t.Project, r.opts.Project), Deployment: cmp.Or(t.Deployment, r.opts.Deployment),
		Highstate: !r.opts.NoHighstate, RequireMinions: r.opts.RequireMinions, DryRun: r.opts.DryRun,
		Expected: slices.Clone(r.opts.ExpectMinions), MinMinions: r.opts.MinMinions, MissingMinions: r.opts.MissingMinions,
	}
	if len(r.opts.Targets) > 1 {
		request.Name = cmp.Or(t.Name, host(l.server.Server))
	}
	for _, n := range []struct {
		what string
		name *string
	}{{"project", &request.Project}, {"deployment", &request.Deployment}, {"target", &request.Name}} {
		if shown := l.server.Token.Redact(*n.name); shown != *n.name {
			*n.name = shown
			l.problems = append(l.problems, fmt.Errorf("%s name: it contains the token", n.what))
		}
	}
	return l, request
}

// host returns the host of a server's URL, with the port unless it is the default.
func host(server string) string {
	u, err := url.Parse(cmp.Or(server, client.DefaultServer))
	if err != nil || u.Host == "" {
		return "?" // the client refuses this URL
	}
	return strings.TrimSuffix(u.Host, ":4510")
}

// label returns the name of the target, or "" if it is the only one.
func (l *leg) label() string {
	if len(l.run.legs) > 1 {
		return l.target.Name
	}
	return ""
}

// prepare checks the target and makes its client. The error lists all problems.
func (l *leg) prepare() error {
	l.problems = append(l.problems, client.CheckName("project", l.target.Project), client.CheckName("deployment", l.target.Deployment), l.useToken())
	var err error
	if l.client, err = client.New(l.server); err == nil {
		l.target.Server = l.client.Server()
	}
	return errlist.Join(append(l.problems, err)...)
}

// useToken narrows the token to the project. It fails if the token clearly does not allow
// the deployment: the server would unpack the bundle before it refuses the token.
func (l *leg) useToken() error {
	rights, err := l.server.Token.Rights()
	if err != nil || client.CheckName("project", l.target.Project) != nil {
		return nil //nolint:nilerr // the server may understand the token; prepare reports a bad name
	}
	l.target.Rights = rights.String()
	if err := rights.Check(l.target.Project, time.Now()); err != nil {
		return &fault.Error{Err: err, Help: "get another one (on the master, salt-run spiro.issue_token makes them)"}
	}
	if l.run.opts.FullToken {
		return nil
	}
	l.server.Token, err = l.server.Token.Narrow(time.Time{}, l.target.Project)
	return err
}

// finish sets the verdict of the target.
func (l *leg) finish(ctx context.Context, err error) {
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, report.ErrTimeout) && !errors.Is(cause, context.DeadlineExceeded) &&
		report.Classify(cause) != report.Interrupted {
		// The caller ended the run with a cause of its own.
		err = fmt.Errorf("%w: %w", report.ErrInterrupted, err)
	}
	l.run.mu.Lock()
	defer l.run.mu.Unlock()
	l.target.Finish(err)
}

// deploy checks the token, uploads the bundle and follows the events.
func (l *leg) deploy(ctx context.Context, tar *bundle.Bundle) error {
	if ctx.Err() != nil {
		return unsent(ctx, ctx.Err())
	}
	// An upload with an invalid token is useless.
	l.tell(report.Update{Kind: report.Began, Stage: report.Checking})
	err := l.client.Check(ctx)
	l.end(report.Checking, l.client.Server()+": the token is valid", err)
	if err != nil || l.run.opts.DryRun { // the run lists the bundle of a dry run
		return err
	}
	stream, err := l.upload(ctx, tar)
	if err != nil {
		return err
	}
	defer stream.Close()
	return l.follow(stream)
}

// formSize is roughly the size of the form without the bundle, in bytes.
const formSize = 1 << 10

// sizeLimit warns of a bundle that is too large for the server.
func (l *leg) sizeLimit(tar *bundle.Bundle) []string {
	if l.client == nil {
		return nil
	}
	way, limit, help := "HTTPS", int64(client.TLSLimit), ""
	if l.client.Plain() {
		way, limit, help = "plain HTTP", client.PlainLimit, ": use https"
	}
	if tar.Size()+formSize <= limit {
		return nil
	}
	return []string{fmt.Sprintf("over %s, SpiroFS takes no more than %s (%d bytes) and cuts the connection; this bundle has %d bytes%s",
		way, human.Size(limit), limit, tar.Size(), help)}
}

// upload sends the bundle.
func (l *leg) upload(ctx context.Context, tar *bundle.Bundle) (*client.Stream, error) {
	l.tell(report.Update{Kind: report.Began, Stage: report.Uploading})
	stream, err := l.client.Upload(ctx, client.Deployment{
		Project: l.target.Project, Deployment: l.target.Deployment,
		Highstate: l.target.Highstate, Bundle: tar,
		Progress: func(sent, total int64) {
			l.tell(report.Update{Kind: report.Progressed, Stage: report.Uploading, Sent: sent, Total: total})
		},
	})
	if err == nil { // the upload has read the whole bundle, so its digest is known
		l.target.Bundle.Digest, _ = tar.Digest(ctx)
	}
	l.end(report.Uploading, fmt.Sprintf("sent %s, %s", human.Size(tar.Size()), l.target.Bundle.Digest), err)
	return stream, err
}

// follow folds the events into the report until the stream ends. The events begin and end
// the stages Deploying and Highstate.
func (l *leg) follow(stream *client.Stream) error {
	stage := report.Deploying
	l.tell(report.Update{Kind: report.Began, Stage: stage})
	for event, err := range stream.Events() {
		if err == nil && event.Name == client.HighstateCalc && stage != report.Highstate {
			l.end(stage, "", nil)
			stage = report.Highstate
			l.tell(report.Update{Kind: report.Began, Stage: stage})
		}
		if err == nil {
			err = l.fold(stage, event)
		}
		if err != nil {
			l.end(stage, "", err)
			return err
		}
	}
	warning, err := l.target.Ended()
	if warning != "" {
		l.warn(stage, warning)
	}
	l.tellSilent(stage)
	l.tellForeign(stage)
	l.end(stage, "", err)
	return nil
}

// fold folds an event into the report, and tells it. It holds the lock because all targets
// share the file for large results.
func (l *leg) fold(stage report.Stage, event client.Event) error {
	l.run.mu.Lock()
	defer l.run.mu.Unlock()
	minion, err := l.target.Add(event)
	for _, id := range event.Missing {
		if len(l.silent) < client.MaxMinions {
			l.silent[id] = true
		}
	}
	if minion != nil && !l.otherEnvs {
		l.foreign.add(l.run.sls(), minion)
	}
	if err == nil {
		l.run.show(report.Update{Kind: report.Happened, Stage: stage, Target: l.label(), Event: event, Minion: minion})
	}
	return err
}

// tell tells the watcher what happens to the target.
func (l *leg) tell(u report.Update) {
	u.Target = l.label()
	l.run.tell(u)
}

// warn adds a warning to the report and tells it.
func (l *leg) warn(stage report.Stage, text string) {
	l.target.Warn(text)
	l.tell(report.Update{Kind: report.Warned, Stage: stage, Text: text})
}

// end tells the end of a stage. It drops the text, which says that all went well, if
// there is an error.
func (l *leg) end(stage report.Stage, text string, err error) {
	l.tell(report.Update{Kind: report.Ended, Stage: stage, Text: text, Err: err})
}

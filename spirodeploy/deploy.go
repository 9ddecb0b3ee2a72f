// Package spirodeploy deploys a project's Salt states through a SpiroFS server:
// it bundles a directory, submits the bundle, follows what the minions do, and
// says what it came to.
//
//	rep, err := spirodeploy.Deploy(ctx, spirodeploy.Options{
//		Project: "shop", Deployment: "prod",
//		Server: client.Options{Server: "https://salt:4510/", Token: tok},
//		Bundle: bundle.Options{Dir: "."},
//	})
//
// The parts can be used by themselves: package bundle makes bundles, client
// speaks the protocol, highstate reads results, report folds them.
package spirodeploy

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/problem"
	"github.com/spirostack/spirodeploy/internal/pulse"
	"github.com/spirostack/spirodeploy/internal/until"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Options say what to deploy, and where to.
type Options struct {
	// Project and Deployment name the saltenv, PROJECT/DEPLOYMENT. Required.
	Project, Deployment string
	// Server says how to reach the server; its Token is required.
	Server client.Options
	// Bundle says what to bundle; default: _salt of the working directory.
	Bundle bundle.Options
	// File deploys this bundle instead of making one. Of Bundle, only Digest counts then.
	File string
	// NoHighstate deploys the files only; default: the states are applied to
	// the minions concerned.
	NoHighstate bool
	// RequireMinions makes it a failure when no minion is concerned.
	RequireMinions bool
	// Timeout limits the whole run; default: no limit.
	Timeout time.Duration
	// FullToken sends the token as it is; default: narrowed to Project, where
	// that is possible, so that whoever gets hold of it can deploy nothing else.
	FullToken bool
	// Problems are what the caller has found wrong already. They are reported
	// with all others, and nothing is sent.
	Problems []error
	// DryRun does everything up to the upload, and lists what would be sent in
	// the report.
	DryRun bool
	// Watch is told what happens; default: nobody is.
	Watch report.Watcher
	// Pulse is how often Watch is told that a stage goes on; default: 10 seconds.
	Pulse time.Duration
}

// tarball is what Deploy needs of a bundle, made or given.
type tarball interface {
	client.Bundle
	io.Closer
	Len() int
	Warnings() []bundle.Warning
	Commit() string
	Digest(context.Context) (digest.Digest, error)
}

// Deploy runs a deployment to its end. It always returns a report, also of what
// failed. The error is nil only where everything that was asked for happened;
// else it is a [report.Error], with an exit status, in which [errors.As] finds
// the cause. A run ends early when ctx does; a deployment that the server has
// by then goes on there.
func Deploy(ctx context.Context, opts Options) (*report.Report, error) {
	if opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, opts.Timeout, report.ErrTimeout)
		defer cancel()
	}
	opts.discreet()
	rep := report.New(report.Target{
		Project: opts.Project, Deployment: opts.Deployment,
		Highstate: !opts.NoHighstate, RequireMinions: opts.RequireMinions, DryRun: opts.DryRun,
	})
	r := &run{opts: opts, target: rep.Targets[0]}
	stop := pulse.Start(opts.pulse(), r.beat)
	err := r.run(ctx)
	stop()
	if err != nil && ctx.Err() != nil && report.Classify(context.Cause(ctx)) == report.Invalid {
		// The caller's own reason to end it.
		err = fmt.Errorf("%w: %w", report.ErrInterrupted, err)
	}
	r.target.Finish(err)
	rep.Finish()
	return rep, rep.Err()
}

func (o *Options) pulse() time.Duration {
	if o.Pulse <= 0 {
		return 10 * time.Second
	}
	return o.Pulse
}

// discreet takes the token out of names that it was given for by mistake, before
// they are shown.
func (o *Options) discreet() {
	for what, name := range map[string]*string{"project": &o.Project, "deployment": &o.Deployment} {
		if shown := o.Server.Token.Redact(*name); shown != *name {
			*name = shown
			o.Problems = append(slices.Clone(o.Problems), fmt.Errorf("%s name: the token is in it", what))
		}
	}
}

// run is one deployment on its way.
type run struct {
	opts   Options
	target *report.Target
	client *client.Client

	mu    sync.Mutex   // the upload tells its progress from another goroutine, and so does the pulse
	stage report.Stage // the one that goes on, or ""
}

func (r *run) run(ctx context.Context) error {
	tar, err := r.prepare(ctx)
	if err != nil {
		return unsent(ctx, err)
	}
	defer tar.Close()
	if err := r.check(ctx); err != nil {
		return err
	}
	r.warnOfPlainLimit(tar)
	if r.opts.DryRun {
		return unsent(ctx, r.list(ctx, tar))
	}
	stream, err := r.upload(ctx, tar)
	if err != nil {
		return err
	}
	defer stream.Close()
	return r.follow(stream)
}

// unsent returns the error of what is done before the upload. Where the context
// is why it broke off, nothing else says that the server has got nothing.
func unsent(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("%w, before anything was sent", until.Reason(ctx))
}

// prepare does all that can fail before anything is sent, and reports every
// problem that it finds together.
func (r *run) prepare(ctx context.Context) (tarball, error) {
	errs := slices.Concat(r.opts.Problems, []error{
		client.CheckName("project", r.opts.Project),
		client.CheckName("deployment", r.opts.Deployment),
		r.useToken(),
	})
	var err error
	r.client, err = client.New(r.opts.Server)
	errs = append(errs, err)
	if r.client != nil {
		r.target.Server = r.client.Server()
	}
	r.tell(report.Update{Kind: report.Began, Stage: report.Bundling})
	tar, err := openBundle(ctx, r.opts)
	if ofTree, ok := err.(bundle.Problems); ok { //nolint:errorlint // one that is wrapped has a text of its own
		errs = append(errs, ofTree.Unwrap()...)
	} else {
		errs = append(errs, err)
	}
	if err := problem.Join(errs...); err != nil {
		if tar != nil {
			_ = tar.Close() // the reason is already an error
		}
		r.end(report.Bundling, "", err)
		return nil, err
	}
	for _, w := range tar.Warnings() {
		r.warn(report.Bundling, w.String())
	}
	r.target.Bundle = report.Bundle{Commit: strings.Join(strings.Fields(tar.Commit()), " "), Size: tar.Size(), Entries: tar.Len()}
	what := cmp.Or(r.opts.File, r.opts.Bundle.Dir, ".")
	r.end(report.Bundling, fmt.Sprintf("%s: %s, %s", what, plain.Count(tar.Len(), "entry", "entries"), report.Size(tar.Size())), nil)
	return tar, nil
}

// useToken returns why the token is of no use, as far as it can be read, and
// narrows it. The server would unpack a bundle that a token is not for, and
// refuse it only then.
func (r *run) useToken() error {
	rights, err := r.opts.Server.Token.Rights()
	if err != nil || client.CheckName("project", r.opts.Project) != nil {
		return nil //nolint:nilerr // the server may understand it; no token is for a bad name
	}
	r.target.Rights = rights.String()
	if err := rights.Check(r.opts.Project, time.Now()); err != nil {
		return fmt.Errorf("%w: get another one (on the master, salt-run spiro.issue_token makes them)", err)
	}
	if r.opts.FullToken {
		return nil
	}
	r.opts.Server.Token, err = r.opts.Server.Token.Narrow(time.Time{}, r.opts.Project)
	return err
}

// openBundle makes the bundle, or opens the one that was given.
func openBundle(ctx context.Context, opts Options) (tarball, error) {
	if opts.File == "" {
		b, err := bundle.New(ctx, opts.Bundle)
		if err != nil {
			return nil, err // not b: a nil *Bundle is no nil tarball
		}
		return b, nil
	}
	f, err := bundle.OpenFile(ctx, opts.File)
	if err != nil {
		return nil, err
	}
	if want, got := opts.Bundle.Digest, f.Contents().Digest; want != "" && want != got {
		_ = f.Close() // the reason is already an error
		return nil, fmt.Errorf("%s: %w: it is %s, not %s", opts.File, bundle.ErrDigest, got, want)
	}
	return f, nil
}

// check asks the server whether the token is good for anything, before a body
// is sent for nothing.
func (r *run) check(ctx context.Context) error {
	r.tell(report.Update{Kind: report.Began, Stage: report.Checking})
	err := r.client.Check(ctx)
	r.end(report.Checking, r.client.Server()+": the token is valid", err)
	return err
}

// formSize is about what the form takes beside the bundle, in bytes.
const formSize = 1 << 10

// warnOfPlainLimit warns of a bundle that SpiroFS will not take.
func (r *run) warnOfPlainLimit(tar tarball) {
	if tar.Size()+formSize > client.PlainLimit && r.client.Plain() {
		r.warn(report.Checking, fmt.Sprintf("over plain HTTP, SpiroFS takes no more than %s (%d bytes) and cuts the connection; this bundle has %d bytes: use https",
			report.Size(client.PlainLimit), client.PlainLimit, tar.Size()))
	}
}

// upload sends the bundle.
func (r *run) upload(ctx context.Context, tar tarball) (*client.Stream, error) {
	r.tell(report.Update{Kind: report.Began, Stage: report.Uploading})
	stream, err := r.client.Upload(ctx, client.Deployment{
		Project: r.opts.Project, Deployment: r.opts.Deployment,
		Highstate: !r.opts.NoHighstate, Bundle: tar,
		Progress: func(sent, total int64) {
			r.tell(report.Update{Kind: report.Progressed, Stage: report.Uploading, Sent: sent, Total: total})
		},
	})
	if err != nil {
		r.end(report.Uploading, "", err)
		return nil, err
	}
	// It has been read to its end, so the digest is at hand, and cannot fail.
	r.target.Bundle.Digest, _ = tar.Digest(ctx)
	r.end(report.Uploading, fmt.Sprintf("sent %s, %s", report.Size(tar.Size()), r.target.Bundle.Digest), nil)
	return stream, nil
}

// follow folds the events in until the stream ends. Deploying and Highstate
// are stages of the server: its events begin and end them.
func (r *run) follow(stream *client.Stream) error {
	stage := report.Deploying
	r.tell(report.Update{Kind: report.Began, Stage: stage})
	for event, err := range stream.Events() {
		if err != nil {
			r.end(stage, "", err)
			return err
		}
		if event.Name == client.HighstateCalc && stage != report.Highstate {
			r.end(stage, "", nil)
			stage = report.Highstate
			r.tell(report.Update{Kind: report.Began, Stage: stage})
		}
		minion, err := r.target.Add(event)
		if err != nil {
			r.end(stage, "", err)
			return err
		}
		r.tell(report.Update{Kind: report.Happened, Stage: stage, Event: event, Minion: minion})
	}
	err := r.target.Unfinished()
	if err == nil && r.target.Highstate && len(r.target.Minions) == 0 && !r.target.RequireMinions {
		r.warn(stage, report.ErrNoMinions.Error())
	}
	r.end(stage, "", err)
	return nil
}

// list puts what would be sent into the report.
func (r *run) list(ctx context.Context, tar tarball) error {
	in, err := tar.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	contents, err := bundle.Verify(until.Reader(ctx, in))
	if err != nil {
		return err
	}
	r.target.Bundle.Digest = contents.Digest
	for _, it := range contents.Items {
		r.target.Bundle.Contents = append(r.target.Bundle.Contents, report.NewContent(it))
	}
	return nil
}

func (r *run) tell(u report.Update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch u.Kind {
	case report.Began:
		r.stage = u.Stage
	case report.Ended:
		r.stage = ""
	case report.Progressed, report.Waited, report.Warned, report.Happened:
	}
	r.show(u)
}

// beat tells that the stage goes on, if one does.
func (r *run) beat() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stage != "" {
		r.show(report.Update{Kind: report.Waited, Stage: r.stage})
	}
}

// show needs r.mu.
func (r *run) show(u report.Update) {
	if r.opts.Watch != nil {
		u.Time = time.Now()
		r.opts.Watch(u)
	}
}

func (r *run) warn(stage report.Stage, text string) {
	r.target.Warn(text)
	r.tell(report.Update{Kind: report.Warned, Stage: stage, Text: text})
}

func (r *run) end(stage report.Stage, text string, err error) {
	r.tell(report.Update{Kind: report.Ended, Stage: stage, Text: text, Err: err})
}

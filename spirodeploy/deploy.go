// Package spirodeploy deploys a project's Salt states through a SpiroFS server. [Deploy]
// bundles a directory, submits the bundle, follows what the minions do, and returns a
// report.
//
//	rep, err := spirodeploy.Deploy(ctx, spirodeploy.Options{
//		Project: "shop", Deployment: "prod",
//		Server: client.Options{Server: "https://salt:4510/", Token: tok},
//		Bundle: bundle.Options{Dir: "."},
//	})
//
// The parts work on their own, too: package bundle makes bundles, client speaks the
// protocol, highstate reads results, and report turns events into a verdict.
package spirodeploy

import (
	"cmp"
	"context"
	"time"

	"github.com/spirostack/spirodeploy/internal/pulse"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Options say what to deploy, and where to.
type Options struct {
	// Project and Deployment name the saltenv, PROJECT/DEPLOYMENT. They are required,
	// here or in each target.
	Project, Deployment string
	// Server says how to reach the server. Its Token is required.
	Server client.Options
	// Targets are the places to deploy to; default: one, Project and Deployment on
	// Server.
	Targets []Target
	// Serial deploys to one target after the other, and stops after the first that
	// fails; default: to all targets at once, and each to its end.
	Serial bool
	// MaxParallel limits how many targets are deployed to at once; default: all.
	MaxParallel int
	// Bundle says what to bundle; default: _salt of the working directory.
	Bundle bundle.Options
	// File is a bundle to deploy instead of making one. Deploy then ignores Bundle, except
	// for its Digest.
	File string
	// Fetch gets the bundle from elsewhere, such as a registry, instead of File. Deploy calls
	// it once, and not if it has found a problem. Fetch returns the path of a file, which
	// stays the caller's, and the origin that the report names. It may call progress with
	// the bytes so far and all bytes. An error that is a [report.UnsentError] says its
	// verdict.
	Fetch func(ctx context.Context, progress func(done, total int64)) (path, origin string, err error)
	// NoHighstate deploys only the files; default: the minions concerned apply the
	// states.
	NoHighstate bool
	// RequireMinions makes the deployment fail if it concerns no minion.
	RequireMinions bool
	// ExpectMinions are the ids of minions that must be reached, in addition to those
	// that the bundle's top file names literally for the deployment. With several
	// targets, one of them must reach the minion.
	ExpectMinions []string
	// MinMinions is how many minions must be reached on each target; default: any
	// number.
	MinMinions int
	// MissingMinions says whether the deployment fails if expected minions are not
	// reached, if no minion is reached although the top file names some, or if the top
	// file lacks the deployment or names a missing SLS; default [report.Fail].
	MissingMinions report.Missing
	// Strict sends nothing if there is a warning before the upload.
	Strict bool
	// Timeout limits the whole run; default: no limit.
	Timeout time.Duration
	// FullToken sends the token unchanged; default: narrowed to Project if possible, so
	// that a stolen token can deploy nothing else.
	FullToken bool
	// Problems are problems that the caller found. Deploy reports them with its own, and
	// sends nothing if there are any.
	Problems []error
	// Warnings are warnings of the caller. Deploy reports them with its own.
	Warnings []string
	// DryRun does everything but the upload, and lists in the report what would be sent.
	DryRun bool
	// Watch is called with everything that happens; default: not called.
	Watch report.Watcher
	// Spell spells the options that errors and their help name, in the report and for
	// Watch; default: as fields of Go structs.
	Spell fault.Speller
	// Brief makes the report keep only the states that people look at. See [report.Report].
	Brief bool
	// Pulse is how often Watch is called while a stage goes on; default: 10 seconds.
	Pulse time.Duration
}

// Target is one of several places to deploy the same bundle to.
type Target struct {
	// Name distinguishes the target in messages and in the report; default: the host of
	// its server.
	Name string
	// Project and Deployment name the saltenv; default: those of the Options.
	Project, Deployment string
	// Server says how to reach the server; default: that of the Options.
	Server *client.Options
}

// Deploy runs a deployment to its end. It always returns a report, even of a failure. The
// error is nil only if everything that was asked for happened. Otherwise it is a
// [report.Error], which has an exit status and wraps the cause. Deploy returns early if
// ctx ends; a server that already has the bundle continues the deployment.
//
// With several targets, Deploy makes the bundle once, in a temporary file. It sends
// nothing to any target if it finds a problem with one of them before the upload.
func Deploy(ctx context.Context, opts Options) (*report.Report, error) {
	if opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, opts.Timeout, report.ErrTimeout)
		defer cancel()
	}
	r := newRun(opts)
	stop := pulse.Start(cmp.Or(max(0, opts.Pulse), 10*time.Second), r.beat)
	r.run(ctx)
	stop()
	r.settle()
	return r.report, r.report.Err()
}

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
	"context"
	"io"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/pulse"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Options say what to deploy, and where to.
type Options struct {
	// Project and Deployment name the saltenv, PROJECT/DEPLOYMENT. Required, here or
	// in every one of Targets.
	Project, Deployment string
	// Server says how to reach the server; its Token is required.
	Server client.Options
	// Targets are where to deploy to, if that is more than one place; default:
	// Project and Deployment on Server.
	Targets []Target
	// Serial deploys to one target after the other, and to none after the first
	// that fails; default: to all at once, whatever becomes of the others.
	Serial bool
	// MaxParallel is how many targets there are at once, at most; default: all.
	MaxParallel int
	// Bundle says what to bundle; default: _salt of the working directory.
	Bundle bundle.Options
	// File deploys this bundle instead of making one. Of Bundle, only Digest counts then.
	File string
	// NoHighstate deploys the files only; default: the states are applied to
	// the minions concerned.
	NoHighstate bool
	// RequireMinions makes it a failure when no minion is concerned.
	RequireMinions bool
	// ExpectMinions are ids of minions that have to be reached, beside those that the
	// bundle's top file names literally for the deployment. With several targets, it
	// is enough if one of them has a minion.
	ExpectMinions []string
	// MinMinions is how many minions have to be reached on each target; default: any
	// number.
	MinMinions int
	// MissingMinions says what it means that minions that were expected are not reached,
	// that none is although the top file names some, or that the top file lacks the
	// deployment or names an SLS that is not there; default [report.Fail].
	MissingMinions report.Missing
	// Strict makes each warning that comes before the upload a problem, so that nothing
	// is sent.
	Strict bool
	// Timeout limits the whole run; default: no limit.
	Timeout time.Duration
	// FullToken sends the token as it is; default: narrowed to Project, where
	// that is possible, so that whoever gets hold of it can deploy nothing else.
	FullToken bool
	// Problems are what the caller has found wrong already. They are reported
	// with all others, and nothing is sent.
	Problems []error
	// Warnings are what the caller has found worth a warning. They are told with all
	// others.
	Warnings []string
	// DryRun does everything up to the upload, and lists what would be sent in
	// the report.
	DryRun bool
	// Watch is told what happens; default: nobody is.
	Watch report.Watcher
	// Spell spells the options that hints in errors name, such as "--ssl-cert"; default:
	// as fields of Go structs.
	Spell fault.Speller
	// Pulse is how often Watch is told that a stage goes on; default: 10 seconds.
	Pulse time.Duration
}

// Target is one of several places to deploy the same bundle to.
type Target struct {
	// Name tells it from the others, where things are told; default: the host of
	// its server.
	Name string
	// Project and Deployment name the saltenv; default: those of the Options.
	Project, Deployment string
	// Server says how to reach the server; default: that of the Options.
	Server *client.Options
}

// tarball is what Deploy needs of a bundle, made or given.
type tarball interface {
	client.Bundle
	io.Closer
	Len() int
	Warnings() []bundle.Warning
	Commit() string
	Digest(context.Context) (digest.Digest, error)
	TopBundle
}

// Deploy runs a deployment to its end. It always returns a report, also of what
// failed. The error is nil only where everything that was asked for happened;
// else it is a [report.Error], with an exit status, in which [errors.As] finds
// the cause. A run ends early when ctx does; a deployment that the server has
// by then goes on there.
//
// For several targets, the bundle is made once, into a temporary file. Where
// something is wrong on this side with one of them, nothing is sent to any.
func Deploy(ctx context.Context, opts Options) (*report.Report, error) {
	if opts.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, opts.Timeout, report.ErrTimeout)
		defer cancel()
	}
	r := newRun(opts)
	stop := pulse.Start(opts.pulse(), r.beat)
	r.run(ctx)
	stop()
	r.settle()
	return r.report, r.report.Err()
}

func (o *Options) pulse() time.Duration {
	if o.Pulse <= 0 {
		return 10 * time.Second
	}
	return o.Pulse
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/internal/errlist"
	spirobundle "github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// bundle lets the engine make a bundle and write it to a file.
func bundle(ctx context.Context, w cli.World, flag string, t tree, file string) error {
	ref, refErr := moduleRefHere(flag)
	if err := errlist.Join(refErr, t.check()); err != nil {
		return invalid(err)
	}
	s, err := connect(ctx, ref)
	if err != nil {
		return err
	}
	defer s.close()
	digest, err := s.bundle(ctx, t, file)
	if err != nil {
		return failed(ctx, "bundle", err)
	}
	fmt.Fprintf(w.Stdout, "%s  %s\n", digest, file)
	return nil
}

// deploy lets the engine deploy. The result goes to standard output; the engine itself
// tells the story on standard error.
func deploy(ctx context.Context, w cli.World, flag string, o order, settings cli.Settings) error {
	ref, refErr := moduleRefHere(flag)
	tok, tokenErr := w.NeedToken(ctx, settings)
	err := errlist.Join(client.CheckName("project", o.project), client.CheckName("deployment", o.name),
		refErr, tokenErr, o.tree.check())
	if err != nil {
		return invalid(err)
	}
	s, err := connect(ctx, ref)
	if err != nil {
		return err
	}
	defer s.close()
	id, err := s.bundleID(ctx, o.tree)
	if err != nil {
		return failed(ctx, "bundle", err)
	}
	result, err := s.deploy(ctx, id, o, tok)
	if err != nil {
		return undecided(ctx, err, tok)
	}
	fmt.Fprintln(w.Stdout, result.Summary)
	if result.ExitStatus == 0 {
		return nil
	}
	return &cli.Error{Status: result.ExitStatus, Err: errors.New(lastLine(result.Summary)), Told: true}
}

// check finds what is wrong with a tree's options before an engine is asked.
func (t tree) check() error {
	_, err := spirobundle.ParseSource(t.source)
	return err
}

// moduleRefHere is moduleRef for this process.
func moduleRefHere(flag string) (string, error) {
	info, _ := debug.ReadBuildInfo() // nil without one
	return moduleRef(flag, ".", info)
}

// invalid returns an error for what is wrong on this side.
func invalid(err error) error {
	return &cli.Error{Status: report.Invalid.ExitStatus(), Err: err}
}

// failed returns an error for a function of the module that did not get as far
// as a verdict: nothing was deployed, unless it was interrupted.
func failed(ctx context.Context, op string, err error) error {
	switch {
	case errors.Is(context.Cause(ctx), report.ErrTimeout):
		return &cli.Error{Status: report.Unreachable.ExitStatus(), Err: &fault.Error{What: op, Err: context.Cause(ctx), Outcome: "nothing was deployed"}}
	case ctx.Err() != nil:
		return &cli.Error{Status: report.Interrupted.ExitStatus(), Err: &fault.Error{Err: report.ErrInterrupted, Outcome: "what the server has by now goes on there"}}
	}
	return invalid(fmt.Errorf("%s: %w", op, err))
}

// undecided returns an error for a deployment without a report: the engine, or
// the module's function in it, may have been lost before or after the bundle was
// sent.
func undecided(ctx context.Context, err error, tok token.Token) error {
	said := errors.New(tok.Redact(err.Error()))
	if errors.Is(context.Cause(ctx), report.ErrTimeout) {
		said = context.Cause(ctx)
	} else if ctx.Err() != nil {
		return failed(ctx, "deploy", said)
	}
	return &cli.Error{Status: report.Unknown.ExitStatus(), Err: &fault.Error{What: "deploy: there is no report", Err: said, Outcome: "the deployment may be going on"}}
}

// lastLine returns the verdict of a summary, which is its last line.
func lastLine(summary string) string {
	lines := strings.Split(strings.TrimSpace(summary), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "FAILURE: ")
}

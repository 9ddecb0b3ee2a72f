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

// bundle has the engine make a bundle and write it to a file.
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

// deploy has the engine deploy, and prints the summary on standard output. The engine
// itself prints the progress on standard error.
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

// check checks a tree's options without an engine.
func (t tree) check() error {
	_, err := spirobundle.ParseSource(t.source)
	return err
}

// moduleRefHere calls moduleRef for this process.
func moduleRefHere(flag string) (string, error) {
	info, _ := debug.ReadBuildInfo() // nil if there is none
	return moduleRef(flag, ".", info)
}

// invalid returns an error for a problem on this side.
func invalid(err error) error {
	return &cli.Error{Status: report.Invalid.ExitStatus(), Err: err}
}

// failed returns an error for a function of the module that failed before a verdict.
// Nothing was deployed, unless the run was interrupted.
func failed(ctx context.Context, op string, err error) error {
	switch {
	case errors.Is(context.Cause(ctx), report.ErrTimeout):
		return &cli.Error{Status: report.Unreachable.ExitStatus(), Err: &fault.Error{What: op, Err: context.Cause(ctx), Outcome: "nothing was deployed"}}
	case ctx.Err() != nil:
		return &cli.Error{Status: report.Interrupted.ExitStatus(), Err: &fault.Error{Err: report.ErrInterrupted, Outcome: "the server goes on with what it has"}}
	}
	return invalid(fmt.Errorf("%s: %w", op, err))
}

// undecided returns an error for a deployment without a report. The connection to the
// engine may have broken before or after the upload.
func undecided(ctx context.Context, err error, tok token.Token) error {
	said := errors.New(tok.Redact(err.Error()))
	if errors.Is(context.Cause(ctx), report.ErrTimeout) {
		said = context.Cause(ctx)
	} else if ctx.Err() != nil {
		return failed(ctx, "deploy", said)
	}
	return &cli.Error{Status: report.Unknown.ExitStatus(), Err: &fault.Error{What: "deploy: there is no report", Err: said, Outcome: "the deployment may be going on"}}
}

// lastLine returns the verdict of a summary, its last line.
func lastLine(summary string) string {
	lines := strings.Split(strings.TrimSpace(summary), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "FAILURE: ")
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// withBundle has an engine bundle the working directory, and calls use with the id of the
// bundle. It needs no engine if check fails, or if a flag, the module or the source is wrong.
func withBundle(ctx context.Context, s cli.Settings, module string, check func(context.Context, cli.World) error, use func(context.Context, cli.World, *session, string) error) error {
	ctx, stop := cli.UntilSignal(ctx, cli.Gone...)
	defer stop()
	return cli.Process().Discreetly(ctx, s, func(w cli.World, ctx context.Context, s cli.Settings) error {
		info, _ := debug.ReadBuildInfo() // nil if there is none
		ref, refErr := moduleRef(module, ".", info)
		_, sourceErr := bundle.ParseSource(s.Source)
		if err := errlist.Join(s.Contradictions(), check(ctx, w), refErr, sourceErr); err != nil {
			return err
		}
		e, err := connect(ctx, ref)
		if err != nil {
			return err
		}
		defer func() { _ = e.Close() }() // the work is done by then
		id, err := e.bundle(ctx, s)
		if err != nil {
			return failed(ctx, "bundle", err)
		}
		return use(ctx, w, e, id)
	})
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
	return fmt.Errorf("%s: %w", op, err)
}

// undecided returns an error for a deployment without a report. The connection to the
// engine may have broken before or after the upload.
func undecided(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, report.ErrTimeout) {
		err = cause
	} else if cause != nil {
		return failed(ctx, "deploy", err)
	}
	return &cli.Error{Status: report.Unknown.ExitStatus(), Err: &fault.Error{What: "deploy: there is no report", Err: err, Outcome: "the deployment may be going on"}}
}

// lastLine returns the verdict of a summary, its last line.
func lastLine(summary string) string {
	lines := strings.Split(strings.TrimSpace(summary), "\n")
	return strings.TrimPrefix(lines[len(lines)-1], "FAILURE: ")
}

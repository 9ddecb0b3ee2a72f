//go:build unix

package cli_test

import (
	"context"
	"errors"
	"os/signal"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// TestNohup: a SIGHUP that is ignored, as nohup has it, stays so.
//
//nolint:paralleltest // signals are the process's
func TestNohup(t *testing.T) {
	signal.Ignore(syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)
	ctx, stop := cli.UntilSignal(t.Context(), cli.Gone...)
	defer stop()
	if !signal.Ignored(syscall.SIGHUP) {
		t.Fatal("SIGHUP is not ignored any more")
	}
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if !errors.Is(context.Cause(ctx), report.ErrInterrupted) {
		t.Errorf("it ended with %v", context.Cause(ctx))
	}
}

// TestDeadline: a run ends before the deadline of who started it, so that it can
// tell what it came to.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, left := range []time.Duration{time.Second, 10 * time.Second, time.Minute, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			deadline := time.Now().Add(left)
			parent, cancel := context.WithDeadline(t.Context(), deadline)
			defer cancel()
			ctx, stop := cli.UntilSignal(parent)
			defer stop()
			early, ok := ctx.Deadline()
			if spare := deadline.Sub(early); !ok || spare <= 0 || spare > left/2 || spare > 15*time.Second {
				t.Errorf("with %s left, it ends %s before", left, spare)
			}
			<-ctx.Done()
			if !errors.Is(context.Cause(ctx), report.ErrTimeout) {
				t.Errorf("it ended with %v", context.Cause(ctx))
			}
		})
	}
}

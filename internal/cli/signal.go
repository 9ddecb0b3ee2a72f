package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// UntilSignal returns a context that ends with the first of some signals, or some seconds
// before the parent's deadline. The second signal ends the process at once. An ignored
// SIGHUP, as under nohup, stays ignored.
func UntilSignal(parent context.Context, signals ...os.Signal) (context.Context, func()) {
	parent, done := before(parent)
	ctx, cancel := context.WithCancelCause(parent)
	arrived := make(chan os.Signal, 1)
	for _, s := range signals {
		if s != syscall.SIGHUP || !signal.Ignored(s) {
			signal.Notify(arrived, s)
		}
	}
	go func() {
		select {
		case <-arrived:
			cancel(report.ErrInterrupted)
		case <-ctx.Done():
		}
		signal.Stop(arrived)
	}()
	return ctx, func() {
		cancel(nil)
		done()
	}
}

// before returns a context that ends some time before the parent's deadline. At the
// deadline (-t, MAGEFILE_TIMEOUT) mage ends the process with status 1, without a verdict
// or reports.
func before(parent context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := parent.Deadline()
	if !ok {
		return parent, func() {}
	}
	left := time.Until(deadline)
	early := deadline.Add(-min(max(left/10, shortest), left/2, longest))
	return context.WithDeadlineCause(parent, early, &mageTimeoutError{})
}

// How long before mage's deadline a run ends: a tenth of the time, within limits.
const (
	shortest = 2 * time.Second
	longest  = 15 * time.Second
)

// mageTimeoutError is [report.ErrTimeout] with the name of mage's limit.
type mageTimeoutError struct{}

func (*mageTimeoutError) Error() string {
	return "the time that mage has for it is nearly up (-t or MAGEFILE_TIMEOUT)"
}

func (*mageTimeoutError) Unwrap() error { return report.ErrTimeout }

// Gone are the signals that end a job or close a terminal.
var Gone = []os.Signal{syscall.SIGTERM, syscall.SIGHUP}

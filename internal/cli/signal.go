package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// UntilSignal returns a context that the first of some signals ends, or the parent's
// deadline some seconds before it comes. The second signal
// has its usual effect, and ends the process at once. A SIGHUP that is ignored, as
// nohup has it, stays so.
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
			signal.Stop(arrived)
			cancel(report.ErrInterrupted)
		case <-ctx.Done():
			signal.Stop(arrived)
		}
	}()
	return ctx, func() {
		cancel(nil)
		done()
	}
}

// before returns a context that ends some time before the deadline of another, if
// that has one: when its own deadline (-t, MAGEFILE_TIMEOUT) has come, mage ends the
// process at once with status 1, and there would be no verdict and no reports.
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

// mageTimeoutError is [report.ErrTimeout], and says who set the limit.
type mageTimeoutError struct{}

func (*mageTimeoutError) Error() string {
	return "the time that mage has for it is nearly up (-t or MAGEFILE_TIMEOUT)"
}

func (*mageTimeoutError) Unwrap() error { return report.ErrTimeout }

// Gone are the signals of whoever ends a job, or closes a terminal.
var Gone = []os.Signal{syscall.SIGTERM, syscall.SIGHUP}

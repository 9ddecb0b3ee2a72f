package edge

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// UntilSignal returns a context that the first of some signals ends. The second
// has its usual effect, and ends the process at once. A SIGHUP that is ignored, as
// nohup has it, stays so.
func UntilSignal(parent context.Context, signals ...os.Signal) (context.Context, func()) {
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
	return ctx, func() { cancel(nil) }
}

// Gone are the signals of whoever ends a job, or closes a terminal.
var Gone = []os.Signal{syscall.SIGTERM, syscall.SIGHUP}

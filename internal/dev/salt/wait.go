package salt

import (
	"context"
	"fmt"
	"time"
)

// waiting waits for what comes up, and tells for what and since when.
type waiting struct {
	ctx      context.Context // of the start
	began    time.Time
	progress func(string)
	failed   func() error // returns why it is no use to wait any longer
}

const (
	pollEvery = 100 * time.Millisecond
	tellEvery = 5 * time.Second
)

// until waits until there is something.
func (w waiting) until(what string, there func() bool) error {
	told := time.Now()
	for !there() {
		if err := w.failed(); err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		select {
		case <-w.ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, context.Cause(w.ctx))
		case <-time.After(pollEvery):
		}
		if time.Since(told) >= tellEvery {
			told = time.Now()
			w.progress(fmt.Sprintf("Salt: waiting for %s, %s since the start", what, time.Since(w.began).Round(time.Second)))
		}
	}
	return nil
}

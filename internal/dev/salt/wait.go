package salt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// waiting waits for something to come up, and tells for what and since when.
type waiting struct {
	ctx      context.Context // of the start
	began    time.Time
	progress func(string)
	failed   func() error // returns why waiting is of no use any more
}

const (
	pollEvery = 100 * time.Millisecond
	tellEvery = 5 * time.Second
)

// until waits until something is there.
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

// lock waits until no other process has locked a file, and returns the function that
// unlocks it. The system unlocks it, too, when this process ends.
func lock(ctx context.Context, path string, progress func(string)) (free func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	w := waiting{ctx: ctx, began: time.Now(), progress: progress, failed: func() error { return err }}
	waitErr := w.until("another process that installs", func() (locked bool) {
		locked, err = tryLock(file)
		return locked
	})
	if waitErr != nil {
		return nil, errors.Join(waitErr, file.Close())
	}
	return func() { _ = errors.Join(unlock(file), file.Close()) }, nil
}

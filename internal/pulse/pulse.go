// Package pulse does something every few seconds, beside other work.
package pulse

import (
	"sync"
	"time"
)

// Start calls beat again and again, with that much time between, in a goroutine
// of its own. The function that it returns ends that, and waits for it.
func Start(every time.Duration, beat func()) (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticks := time.NewTicker(every)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				beat()
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		running.Wait()
	}
}

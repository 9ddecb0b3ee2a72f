// Package pulse calls a function again and again, beside other work.
package pulse

import (
	"sync"
	"time"
)

// Start calls beat at each interval, in a goroutine of its own. Stop ends the goroutine and
// waits for it.
func Start(every time.Duration, beat func()) (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticks := time.Tick(every)
		for {
			select {
			case <-ticks:
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

// Package pace has the limits of tests. They are generous, so that a test does not
// fail because the machine is busy.
package pace

import (
	"os/exec"
	"sync"
	"time"
)

// Hang is how long a test waits for an event that must come. After that, the test says
// that something hangs.
const Hang = 10 * time.Minute

// Soon returns how long a test waits for an event that must not come, or makes a limit
// that must be hit: at least two seconds. It is longer on a slow or busy machine, so that
// everything before has enough time.
var Soon = sync.OnceValue(func() time.Duration {
	began := time.Now()
	if err := exec.Command("go", "version").Run(); err != nil { // starts a process, as most tests do
		return most
	}
	return scale(time.Since(began))
})

const (
	least = 2 * time.Second
	most  = time.Minute
)

// scale returns Soon for a machine that needs this long to start a process. Some 10 ms
// are usual.
func scale(start time.Duration) time.Duration {
	return min(max(least, (50*start).Round(time.Second)), most)
}

package registry

import (
	"context"
	"sync"
	"time"
)

// The longest pause, for tests.
const MaxPause = maxPause

var (
	pausesMu sync.Mutex
	pauses   []time.Duration
)

func init() {
	pauseFor = func(ctx context.Context, pause time.Duration) error {
		pausesMu.Lock()
		defer pausesMu.Unlock()
		pauses = append(pauses, pause)
		return ctx.Err()
	}
}

// Paused reports whether a push or pull of any test has paused for so long.
func Paused(pause time.Duration) bool {
	pausesMu.Lock()
	defer pausesMu.Unlock()
	for _, p := range pauses {
		if p == pause {
			return true
		}
	}
	return false
}

// ReadManifest reads a manifest.
func ReadManifest(data []byte) (Result, error) { return readManifest(data) }

// NewManifest makes the manifest of a bundle.
var NewManifest = newManifest

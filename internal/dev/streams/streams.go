// Package streams has event streams recorded from SpiroFS 0.3 in a Salt 3005.5
// master with real minions, for tests; recorded/README.md says what each is of.
package streams

import (
	"embed"
	"fmt"
)

//go:embed recorded/*.sse
var recorded embed.FS

// All are the names of the streams.
var All = []string{"ok", "states-failed", "render-failed", "minion-not-responding", "no-minions", "no-highstate", "exception"}

// Read returns a stream by its name. It panics if there is none: the test has a mistake.
func Read(name string) []byte {
	stream, err := recorded.ReadFile("recorded/" + name + ".sse")
	if err != nil {
		panic(fmt.Sprintf("no recorded stream %q", name))
	}
	return stream
}

//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import (
	"os"
	"runtime"
)

// lock reports that nobody else has locked a file, which is not known.
func lock(*os.File) bool { return true }

// hold does nothing, for a file that is open is safe enough or not to be made safe.
func hold(*os.File) (free func(), ok bool) { return func() {}, true }

// removeUnlocked removes a file that nobody writes to: Windows removes none that is
// open. Elsewhere nobody knows.
func removeUnlocked(path string) {
	if runtime.GOOS == "windows" {
		_ = os.Remove(path) // if it stays, it disturbs nobody
	}
}

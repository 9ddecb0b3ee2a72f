//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package atomicfile

import (
	"os"
	"runtime"
)

// lock reports true, since locks are not known here.
func lock(*os.File) bool { return true }

func unlock(*os.File) {}

// hold does nothing: Windows protects an open file, and other systems cannot.
func hold(*os.File) (free func(), ok bool) { return func() {}, true }

// removeUnlocked removes a file that nobody writes to. Only Windows refuses to remove a
// file that is open, so the file stays on other systems.
func removeUnlocked(path string) {
	if runtime.GOOS == "windows" {
		_ = os.Remove(path) // if it stays, it disturbs nobody
	}
}

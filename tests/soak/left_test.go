package soak_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
)

// slack is how much more memory may be in use at the end, in bytes: pools and
// tables grow a little.
const slack = 4 << 20

// left is what is left when nothing is going on.
type left struct {
	goroutines int
	files      int // open; -1 if that cannot be counted
	temporary  int
	heap       uint64 // bytes
}

func (l left) String() string {
	return fmt.Sprintf("%d goroutines, %d open files, %d temporary files, %.1f MiB of heap", l.goroutines, l.files, l.temporary, float64(l.heap)/(1<<20))
}

// take counts what is left. A goroutine of net/http may end some time after its
// connection, so take counts until nothing changes for a while.
func take(t *testing.T) left {
	t.Helper()
	l := count(t)
	for same := 0; same < 20; same++ {
		time.Sleep(pace.Soon() / 100)
		if now := count(t); now != l {
			l, same = now, 0
		}
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the second one empties pools, too
	runtime.ReadMemStats(&m)
	l.heap = m.HeapAlloc
	return l
}

func count(t *testing.T) left {
	t.Helper()
	l := left{goroutines: runtime.NumGoroutine(), files: -1}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		l.files = len(open)
	}
	err := filepath.WalkDir(os.TempDir(), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && path != os.TempDir() {
			l.temporary++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// compare fails the test if there is more than before.
func (l left) compare(t *testing.T, now left) {
	t.Helper()
	if now.goroutines > l.goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, before %d\n%s", now.goroutines, l.goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	if l.files < 0 {
		t.Log("SKIP open files: there is no /proc/self/fd to count them in")
	}
	if now.files > l.files {
		t.Errorf("%d open files, before %d", now.files, l.files)
	}
	if now.temporary > l.temporary {
		t.Errorf("%d temporary files, before %d", now.temporary, l.temporary)
	}
	if now.heap > l.heap+slack {
		t.Errorf("%d KiB of heap, before %d", now.heap>>10, l.heap>>10)
	}
}

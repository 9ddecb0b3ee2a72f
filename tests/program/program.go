// Package program builds the programs that tests run, each of them once.
package program

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
)

// Main runs the tests of a package, removes what they have built, and ends the process.
// TestMain calls it.
func Main(m *testing.M) {
	status := m.Run()
	Remove()
	os.Exit(status)
}

// Remove removes the programs.
func Remove() { _ = os.RemoveAll(Dir()) } // a temporary directory at worst stays

// Dir returns a directory that all tests of the process share. Everybody may enter it.
var Dir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "spirodeploy-tests-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		panic(err)
	}
	return dir
})

// Root is the main module, seen from a package in tests/.
var Root = filepath.Join("..", "..")

// Command returns the path of spiro-deploy.
func Command(t *testing.T) string {
	t.Helper()
	return Build(t, Root, "./spirodeploy/cmd/spiro-deploy")
}

// source is where a program comes from: the directory of a module, and a package.
type source struct{ dir, pkg string }

// built has what became of each program that was asked for.
var built = struct {
	sync.Mutex
	programs map[source]outcome
}{programs: map[source]outcome{}}

// outcome is the path of a program, or why there is none.
type outcome struct {
	path string
	err  error
}

// Build returns the path of a program of the module in dir. That module decides on the
// versions. The race detector stays off, since its memory would count.
func Build(t *testing.T, dir, pkg string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	from := source{dir, pkg}
	o, done := built.programs[from]
	if !done {
		// Two programs can have one name.
		o.path, o.err = build(t.Context(), from, filepath.Join(Dir(), strconv.Itoa(len(built.programs))))
		built.programs[from] = o
	}
	if o.err != nil {
		t.Fatal(o.err)
	}
	return o.path
}

// build builds a program into a directory, which it makes.
func build(ctx context.Context, from source, to string) (path string, err error) {
	if err := errors.Join(os.Mkdir(to, 0o755), os.Chmod(to, 0o755)); err != nil {
		return "", err
	}
	path = filepath.Join(to, filepath.Base(from.pkg))
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, from.pkg)
	cmd.Dir = from.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", from.pkg, err, out)
	}
	return path, nil
}

// Measure returns the path of the program that measures a command, the file to which it
// writes, and a function that reads from the file how much memory the command used at
// most, in KiB: 0 if that is not known, or if the command was killed before it ended.
func Measure(t *testing.T) (path, file string, peak func() int64) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "measured")
	return Build(t, Root, "./internal/dev/bench/measure"), file, func() int64 {
		t.Helper()
		var measured struct{ PeakKiB int64 }
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return 0
		}
		if err == nil {
			err = json.Unmarshal(text, &measured)
		}
		if err != nil {
			t.Fatal(err)
		}
		return measured.PeakKiB
	}
}

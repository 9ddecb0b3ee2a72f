// Package program builds the programs that tests run, each of them once.
package program

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
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

// built has a function for each program that was asked for.
var built sync.Map

// Build returns the path of a program of the module in dir. That module decides on the
// versions. The race detector stays off, since its memory would count.
func Build(t *testing.T, dir, pkg string) string {
	t.Helper()
	path := filepath.Join(Dir(), filepath.Base(pkg))
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	build, _ := built.LoadOrStore(path, sync.OnceValue(func() error { return BuildAt(path, dir, pkg) }))
	if err := build.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return path
}

// BuildAt builds a program of the module in dir.
func BuildAt(path, dir, pkg string) error {
	cmd := exec.Command("go", "build", "-o", path, pkg)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// Measured is the time and memory that a command needed.
type Measured struct {
	Wall    time.Duration
	PeakKiB int64 // of memory; 0 if that is not known
}

// Measure returns the path of the program that measures a command, the file to which it
// writes, and a function that reads the file.
func Measure(t *testing.T) (path, file string, read func() Measured) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "measured")
	return Build(t, Root, "./internal/dev/bench/measure"), file, func() (m Measured) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

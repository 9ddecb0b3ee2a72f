package hostile_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// The programs that the tests run.
var spiroDeploy, peak string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hostile-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	spiroDeploy, peak = filepath.Join(dir, "spiro-deploy"+suffix()), filepath.Join(dir, "peak"+suffix())
	err = errors.Join(
		build(spiroDeploy, filepath.Join("..", ".."), "./spirodeploy/cmd/spiro-deploy"),
		build(peak, ".", "./peak"),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if other := os.Getenv("HOSTILE_COMMAND"); other != "" {
		spiroDeploy = other
	}
	return m.Run()
}

// build makes a program of the module in dir. The race detector stays off: its
// memory would count.
func build(program, dir, source string) error {
	cmd := exec.Command("go", "build", "-o", program, source)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", source, err, out)
	}
	return nil
}

func suffix() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

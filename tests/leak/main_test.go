package leak_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// root is the main module's directory.
var root = filepath.Join("..", "..")

// scratch is where programs and what they need are put.
var scratch string

// parallel is how many tests run at once: many wait more than they work.
const parallel = "8"

// TestMain is also the main function of the programs that this binary plays.
func TestMain(m *testing.M) {
	if program(os.Args[0]) == "git" {
		os.Exit(playGit())
	}
	if kind := os.Getenv(panicEnv); kind != "" {
		playPanic(kind)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	// No token of the person who runs the tests takes part.
	for _, name := range []string{"SPIRO_TOKEN", "SPIRO_URL"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	var err error
	if scratch, err = os.MkdirTemp("", "spirodeploy-leak-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	return m.Run()
}

// program returns the name of a program's file.
func program(path string) string { return strings.TrimSuffix(filepath.Base(path), ".exe") }

// build is what "go build" makes of the command, once.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "spiro-deploy")
	cmd := exec.Command("go", "build", "-o", path, "./spirodeploy/cmd/spiro-deploy")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// command returns the path of the command.
func command(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

package leak_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/tests/program"
)

// parallel is how many tests run at once: many wait more than they work.
const parallel = "8"

// TestMain is also the main function of the programs that this binary stands for.
func TestMain(m *testing.M) {
	if nameOf(os.Args[0]) == "git" {
		os.Exit(playGit())
	}
	if kind := os.Getenv(panicEnv); kind != "" {
		playPanic(kind)
	}
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	// The tests must not use the token of the person who runs them.
	for _, name := range []string{"SPIRO_TOKEN", "SPIRO_URL"} {
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	program.Main(m)
}

// nameOf returns the name of a program's file.
func nameOf(path string) string { return strings.TrimSuffix(filepath.Base(path), ".exe") }

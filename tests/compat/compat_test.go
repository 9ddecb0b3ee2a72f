// Package compat_test runs the tests of the Python package spirofs-compat with each
// version of Salt that it supports.
package compat_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
)

// ran matches the number of tests that unittest prints at its end.
var ran = regexp.MustCompile(`(?m)^Ran ([1-9][0-9]*) tests`)

func TestPackage(t *testing.T) { //nolint:tparallel // one version after the other
	t.Parallel()
	if testing.Short() {
		t.Skip("a Python environment with Salt takes its time")
	}
	dir, err := filepath.Abs(filepath.Join("..", "..", "contrib", "spirofs-compat", "tests"))
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range salt.Matrix() {
		t.Run(version, func(t *testing.T) {
			env, err := salt.PrepareVersion(t.Context(), version, func(line string) { t.Log(line) })
			if errors.Is(err, salt.ErrNoPython) && os.Getenv("CI") != "true" {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			// The environment already has the package, from the same sources.
			args := env.Python("-B", "-W", "ignore", "-m", "unittest", "discover", "-s", dir)
			cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
			cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "PYTHONPATH=", "TMPDIR="+t.TempDir())
			if out, err := cmd.CombinedOutput(); err != nil || !ran.Match(out) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

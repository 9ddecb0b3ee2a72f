// Package ci does the work of the targets test, lint, fuzz, soak and release.
package ci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// modules are the directories of the modules with tests. (The others only pin tools.)
var modules = []string{".", "tests"}

// tool returns the command that runs a tool of a module below internal/dev. Such a module
// keeps the requirements of its tools out of the project's go.mod.
func tool(module string, args ...string) []string {
	file, err := filepath.Abs(filepath.Join("internal", "dev", module, "go.mod"))
	if err != nil {
		panic(err) // the working directory is gone
	}
	return append([]string{"go", "tool", "-modfile=" + file}, args...)
}

// Lint runs golangci-lint over all modules with tests, and goreleaser over its own
// configuration.
func Lint(ctx context.Context, out io.Writer) error {
	var errs []error
	for _, dir := range modules {
		errs = append(errs, run(ctx, out, dir, tool("lint", "golangci-lint", "run", "./...")...))
	}
	errs = append(errs, run(ctx, out, ".", tool("release", "goreleaser", "check")...))
	return errors.Join(errs...)
}

// Release builds the version that is checked out with goreleaser, into dist: see
// .goreleaser.yaml. A snapshot can be of any commit. With publish, Release also drafts
// the release and pushes the image.
func Release(ctx context.Context, out io.Writer, snapshot, publish bool) error {
	args := []string{"goreleaser", "release", "--clean"}
	switch {
	case snapshot:
		args = append(args, "--snapshot", "--skip=docker")
	case !publish:
		args = append(args, "--skip=publish")
	}
	return run(ctx, out, ".", tool("release", args...)...)
}

// Bench runs the benchmarks of the packages.
func Bench(ctx context.Context, out io.Writer) error {
	return run(ctx, out, ".", "go", "test", "-run=^$", "-bench=.", "-benchmem", "./...")
}

// Soak runs a number of deployments in a row, and a number at once. It fails if they
// leave anything behind.
func Soak(ctx context.Context, out io.Writer, runs, parallel int) error {
	return run(ctx, out, "tests", "go", "test", "-count=1", "-v", "-timeout=60m", "./soak",
		"-runs="+strconv.Itoa(runs), "-at-once="+strconv.Itoa(parallel))
}

// run runs a command in a directory, and shows it. Words with = in front are variables of its
// environment, as in a shell.
func run(ctx context.Context, out io.Writer, dir string, args ...string) error {
	fmt.Fprintf(out, "== %s: %s\n", dir, strings.Join(args, " "))
	env := os.Environ()
	for strings.Contains(args[0], "=") {
		env, args = append(env, args[0]), args[1:]
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s in %s: %w", strings.Join(args, " "), dir, err)
	}
	return nil
}

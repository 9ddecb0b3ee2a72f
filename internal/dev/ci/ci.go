// Package ci is what the targets test, lint, fuzz and soak do.
package ci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// lintModule has the linters: their requirements are not the project's.
const lintModule = "internal/dev/lint/go.mod"

// modules are the directories of the modules with tests. (What the others hold,
// linters and a generator, is none of ours.)
var modules = []string{".", "tests"}

// noRace returns why the race detector cannot be used, or "".
func noRace(ctx context.Context) string {
	env, err := exec.CommandContext(ctx, "go", "env", "CGO_ENABLED", "CC").Output()
	if err != nil {
		return "go env: " + err.Error()
	}
	words := strings.Fields(string(env))
	if len(words) < 2 || words[0] != "1" {
		return "cgo is off, or there is no C compiler"
	}
	if _, err := exec.LookPath(words[1]); err != nil {
		return "it needs a C compiler, and there is no " + words[1]
	}
	return ""
}

// Lint runs golangci-lint over all modules with tests, and goreleaser over its own
// configuration.
func Lint(ctx context.Context, out io.Writer) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range modules {
		errs = append(errs, run(ctx, out, dir, "go", "tool", "-modfile="+root+"/"+lintModule, "golangci-lint", "run", "./..."))
	}
	errs = append(errs, goreleaser(ctx, out, "check"))
	return errors.Join(errs...)
}

// Bench runs the benchmarks of the packages.
func Bench(ctx context.Context, out io.Writer) error {
	return run(ctx, out, ".", "go", "test", "-run=^$", "-bench=.", "-benchmem", "./...")
}

// run runs a command in a directory, and shows it.
func run(ctx context.Context, out io.Writer, dir string, args ...string) error {
	fmt.Fprintf(out, "== %s: %s\n", dir, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s in %s: %w", strings.Join(args, " "), dir, err)
	}
	return nil
}

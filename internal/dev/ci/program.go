package ci

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// Program compiles a program of this repository, runs it with arguments, and returns its
// exit status. Targets that need more than the standard library do their work in such a
// program, so that mage compiles little before it runs any target.
func Program(ctx context.Context, stdout, stderr io.Writer, pkg string, args ...string) (status int, err error) {
	dir, err := os.MkdirTemp("", "spirodeploy-program-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is a temporary directory
	file := filepath.Join(dir, filepath.Base(pkg)+".exe")
	build := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", file, pkg) // without symbols, it links faster
	build.Env = slices.Concat(
		// The compiler spends a quarter of its time in garbage collection. Few packages need 200 MiB
		// without any. Variables of the user come later and win.
		[]string{"GOGC=off", "GOMEMLIMIT=512MiB"},
		os.Environ(),
		[]string{"CGO_ENABLED=0"}, // without C, net and what needs it compile faster
	)
	build.Stdout, build.Stderr = stderr, stderr
	if err := build.Run(); err != nil {
		return 0, fmt.Errorf("compile %s: %w", pkg, err)
	}
	cmd := exec.CommandContext(ctx, file, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it may have to clean up
	err = cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.Exited() { // its status counts, also if it ended because ctx did
		return cmd.ProcessState.ExitCode(), nil
	}
	return 0, err
}

package ci

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// Variables that make the tests of tests/soak long ones.
const (
	SoakRuns     = "SPIRODEPLOY_SOAK_RUNS"     // deployments in a row
	SoakParallel = "SPIRODEPLOY_SOAK_PARALLEL" // deployments at once
)

// Soak runs that many deployments, and so many at once, and shows what they
// left behind, which is to be nothing.
func Soak(ctx context.Context, out io.Writer, runs, parallel int) error {
	cmd, err := soakCommand(ctx, runs, parallel)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "== %s: %s\n", cmd.Dir, strings.Join(cmd.Args, " "))
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("soak: %w", err)
	}
	return nil
}

func soakCommand(ctx context.Context, runs, parallel int) (*exec.Cmd, error) {
	if runs < 1 || parallel < 1 {
		return nil, fmt.Errorf("soak: %d runs and %d at once: one is the least", runs, parallel)
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout=60m", "./soak")
	cmd.Dir = "tests"
	cmd.Env = append(os.Environ(), SoakRuns+"="+strconv.Itoa(runs), SoakParallel+"="+strconv.Itoa(parallel))
	return cmd, nil
}

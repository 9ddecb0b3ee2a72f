package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// The size of the terminal: as wide as a README shows without scaling, and higher than
// the output.
const columns, lines = 104, 80

// record runs a command line on a terminal, in a directory, and returns the screen at the
// end. The command has to end with the exit status.
func record(ctx context.Context, dir string, env []string, status int, program string, args ...string) (vt10x.View, error) {
	screen := vt10x.New(vt10x.WithSize(columns, lines))
	fmt.Fprintf(screen, "\x1b[1m$ spiro-deploy %s\x1b[0m\r\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8"}, env...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: columns, Rows: lines})
	if err != nil {
		return nil, err
	}
	defer terminal.Close()
	if _, err := io.Copy(screen, terminal); err != nil && !errors.Is(err, syscall.EIO) { // Linux says so that the other end is closed
		return nil, err
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		return nil, fmt.Errorf("spiro-deploy ended with status %d, and should with %d:\n%s", got, status, screen)
	}
	return screen, nil
}

// Command peak runs a command as its child and writes the most memory that the
// child has used, in KiB, to a file: peak FILE COMMAND ARGUMENT… It ends with
// the child's exit status.
//
// The test cannot look for itself: Linux counts the memory of the process that
// starts a child as the child's, and that of a test is large. This one is small.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

func main() {
	cmd := exec.Command(os.Args[2], os.Args[3:]...) //nolint:noctx // the test limits the run
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	tieToParent(cmd)
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		fail(err)
	}
	text := fmt.Sprint(peak(cmd.ProcessState))
	if err := os.WriteFile(os.Args[1], []byte(text), 0o600); err != nil {
		fail(err)
	}
	os.Exit(cmd.ProcessState.ExitCode())
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "peak:", err)
	os.Exit(99)
}

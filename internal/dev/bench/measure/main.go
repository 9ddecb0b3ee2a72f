// Command measure runs a command and writes to a file, as JSON, how long that took and
// how much memory it used at most: measure FILE COMMAND ARGUMENT… It ends with the
// command's exit status. Linux counts the memory of the process that starts a command as
// the command's own, so this program is small and starts it in place of a large one.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

func main() {
	cmd := exec.Command(os.Args[2], os.Args[3:]...) //nolint:noctx // whoever runs this limits it
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	tieToParent(cmd)
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if exit := (*exec.ExitError)(nil); err == nil || errors.As(err, &exit) {
		text := fmt.Sprintf(`{"Wall": %d, "PeakKiB": %d}`, wall, peak(cmd.ProcessState))
		err = os.WriteFile(os.Args[1], []byte(text), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(99)
	}
	os.Exit(cmd.ProcessState.ExitCode())
}

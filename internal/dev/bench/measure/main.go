// Command measure runs a command and writes how long it took, and how much memory
// it used at most, to a file: measure FILE COMMAND ARGUMENT… It is small, since
// Linux counts the memory of whoever starts a process as that process's own.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

func main() {
	cmd := exec.Command(os.Args[2], os.Args[3:]...) //nolint:noctx // whoever runs this limits it
	cmd.Stderr = os.Stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	if err == nil {
		text := fmt.Sprintf(`{"Wall": %d, "PeakKiB": %d}`, wall, peak(cmd.ProcessState))
		err = os.WriteFile(os.Args[1], []byte(text), 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

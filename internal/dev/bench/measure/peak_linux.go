package main

import (
	"os"
	"os/exec"
	"syscall"
)

// tieToParent makes the system end the command if this process ends.
func tieToParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// peak returns how much memory a process used at most, in KiB; 0 if that is not known.
func peak(state *os.ProcessState) int64 {
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss
	}
	return 0
}

//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peak returns how much memory a process and those that it waited for used at
// most, in KiB.
func peak(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss >> 10 // there in bytes
	}
	return usage.Maxrss
}

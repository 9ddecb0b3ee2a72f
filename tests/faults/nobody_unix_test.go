//go:build unix

package faults_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// asNobody makes a command run as a user who is not root.
func asNobody(_ *testing.T, cmd *exec.Cmd) {
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}

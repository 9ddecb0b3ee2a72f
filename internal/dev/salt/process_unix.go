//go:build unix

package salt

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// detach gives a command a session of its own, so that signals of a terminal do not reach
// it. If the command's context ends, its whole group is killed.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	}
}

// freeze stops a process group.
func freeze(group int) error { return syscall.Kill(-group, syscall.SIGSTOP) }

// thaw lets a process group go on.
func thaw(group int) error { return syscall.Kill(-group, syscall.SIGCONT) }

// tryLock reports whether it has locked a file.
func tryLock(file *os.File) (bool, error) {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// unlock unlocks a file. To close it is not enough: if another goroutine starts a process
// at this moment, the child has the file, and with it the lock, until it runs its program.
func unlock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }

//go:build unix

package salt

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// detach gives a command a session of its own: what a terminal sends to the
// foreground does not reach it. When its context ends, its whole group does.
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

// lock waits until no other process has a lock, and returns what gives it back. The
// system does so, too, when this process ends. Waiting is told if it comes to that.
func lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for told := false; ; told = true {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, file.Close())
		}
		if !told {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), file.Close())
		case <-time.After(pollEvery):
		}
	}
}

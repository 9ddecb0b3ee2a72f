//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

// lock locks a file until it is closed, or this process ends. It reports false if another
// process has locked it. On a file system without locks, it reports true.
func lock(f *os.File) bool {
	return !errors.Is(flock(f), syscall.EWOULDBLOCK)
}

func flock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// unlock unlocks a file if [lock] has locked it. Close alone does not unlock it at once: if
// another goroutine starts a process at this moment, the child has the file, and with it the
// lock, until it runs its program.
func unlock(f *os.File) {
	conn, err := f.SyscallConn()
	if err != nil {
		return // it is closed
	}
	// If this fails, the lock ends with the last descriptor.
	_ = conn.Control(func(fd uintptr) { _ = syscall.Flock(int(fd), syscall.LOCK_UN) })
}

// hold locks a file that was just created until free is called, even if it is closed
// before. It reports whether the file still exists: another run could remove it before the
// lock.
//
// It locks the descriptor that is open for writing. On network file systems, a lock of a
// second one would keep the first from writing (SMB), or fail (NFS).
func hold(f *os.File) (free func(), ok bool) {
	other, err := duplicate(f)
	if err != nil {
		return func() {}, true // without a lock
	}
	locked := lock(other)
	own, ownErr := other.Stat()
	there, thereErr := os.Lstat(f.Name())
	if !locked || ownErr != nil || thereErr != nil || !os.SameFile(own, there) {
		release(other)
		return nil, false
	}
	return func() { release(other) }, true
}

// release unlocks and closes a file that nothing was written to.
func release(f *os.File) {
	unlock(f)
	_ = f.Close()
}

// duplicate returns a second descriptor of an open file.
func duplicate(f *os.File) (*os.File, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// removeUnlocked removes a file that nobody writes to.
func removeUnlocked(path string) {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		return
	}
	if flock(f) == nil {
		_ = os.Remove(path) // if it stays, it disturbs nobody
	}
	release(f)
}

//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"errors"
	"os"
	"syscall"
)

// lock locks a file until it is closed, also by the death of this process. It
// reports whether nobody else has: where a file system knows no locks, nobody has.
func lock(f *os.File) bool {
	return !errors.Is(flock(f), syscall.EWOULDBLOCK)
}

func flock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// hold locks a file that was just created, beyond its being closed. It reports
// whether the file is still there: before it was locked it could be removed.
//
// It locks the file as it is open for writing: on network file systems a lock of the
// same file that is opened once more would keep that from being written (SMB), or could
// not be had (NFS).
func hold(f *os.File) (free func(), ok bool) {
	other, err := duplicate(f)
	if err != nil {
		return func() {}, true // without a lock
	}
	locked := lock(other)
	own, ownErr := other.Stat()
	there, thereErr := os.Lstat(f.Name())
	if !locked || ownErr != nil || thereErr != nil || !os.SameFile(own, there) {
		_ = other.Close() // nothing was written
		return nil, false
	}
	return func() { _ = other.Close() }, true
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
	_ = f.Close() // nothing was written
}

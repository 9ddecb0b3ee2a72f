package bundle

import (
	"io"
	"io/fs"
	"syscall"
)

// readFile fills a buffer with a file's content from an offset on, and returns
// what the file was afterwards. Most files are small, and then package os, which
// makes every file one that can be waited for, takes as long as the kernel.
func readFile(path string, buf []byte, from int64) (n int, now status, err error) {
	// A named pipe that has taken the file's place must not be waited for.
	fd, err := again(func() (int, error) {
		return syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	})
	if err != nil {
		return 0, status{}, gone(path, err)
	}
	defer func() { _ = syscall.Close(fd) }() // it was only read
	var readErr error
	for n < len(buf) && readErr == nil {
		var m int
		m, readErr = again(func() (int, error) { return syscall.Pread(fd, buf[n:], from+int64(n)) })
		n += max(m, 0)
		if m == 0 && readErr == nil {
			readErr = io.ErrUnexpectedEOF
		}
	}
	var stat syscall.Stat_t
	if _, err := again(func() (int, error) { return 0, syscall.Fstat(fd, &stat) }); err != nil {
		return n, status{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	now = statusOf(&stat)
	return n, now, unreadable(path, now, readErr)
}

func statusOf(stat *syscall.Stat_t) status {
	return status{regular: stat.Mode&syscall.S_IFMT == syscall.S_IFREG, size: stat.Size, modTime: stat.Mtim.Nano()}
}

// lookAt returns the permissions of a regular file, and its status.
func lookAt(path string) (fs.FileMode, status, error) {
	var stat syscall.Stat_t
	_, err := again(func() (int, error) { return 0, syscall.Lstat(path, &stat) })
	return fs.FileMode(stat.Mode).Perm(), statusOf(&stat), err
}

// again calls a system call until no signal interrupts it.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR { //nolint:errorlint // system calls return it as it is
			return n, err
		}
	}
}

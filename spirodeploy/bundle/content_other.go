//go:build !linux

package bundle

import (
	"io"
	"io/fs"
	"os"
	"syscall"
)

// readFile fills a buffer with a file's content from an offset on, and returns
// what the file was afterwards.
func readFile(path string, buf []byte, from int64) (n int, now status, err error) {
	// A named pipe that has taken the file's place must not be waited for.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, status{}, gone(path, err)
	}
	defer file.Close()
	n, readErr := file.ReadAt(buf, from)
	if readErr == io.EOF { //nolint:errorlint // ReadAt returns it as it is
		readErr = io.ErrUnexpectedEOF
	}
	if n == len(buf) {
		readErr = nil
	}
	info, err := file.Stat()
	if err != nil {
		return n, status{}, err
	}
	now = statusOf(info)
	return n, now, unreadable(path, now, readErr)
}

func statusOf(info fs.FileInfo) status {
	return status{regular: info.Mode().IsRegular(), size: info.Size(), modTime: info.ModTime().UnixNano()}
}

// lookAt returns the permissions of a regular file, and its status.
func lookAt(path string) (fs.FileMode, status, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, status{}, err
	}
	return info.Mode().Perm(), statusOf(info), nil
}

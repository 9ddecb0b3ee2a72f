package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// identity tells one state of a file from all others. A part is 0 if the system does
// not have it. Times are in nanoseconds.
type identity struct {
	modTime       int64
	change        int64 // of content, name or permissions
	device, inode uint64
}

// status is the current state of a file.
type status struct {
	identity
	regular bool
	size    int64
}

var (
	errKindChanged   = fmt.Errorf("%w: it is no regular file any more", ErrChanged)
	errFolderChanged = fmt.Errorf("%w: it is no directory any more", ErrChanged)
)

// same returns how a file differs from the one that the walk saw, or nil.
func (it *item) same(now status) error {
	switch {
	case !now.regular:
		return errKindChanged
	case now.size != it.Size:
		return fmt.Errorf("%w: it had %d bytes and has %d", ErrChanged, it.Size, now.size)
	case now.modTime != it.was.modTime:
		return fmt.Errorf("%w: its modification time is another one", ErrChanged)
	case now.device != it.was.device || now.inode != it.was.inode:
		return fmt.Errorf("%w: another file is in its place", ErrChanged)
	case now.change != it.was.change:
		return fmt.Errorf("%w: its change time is another one", ErrChanged)
	}
	return nil
}

// gone returns why a file cannot be opened.
func gone(path string, err error) error {
	info, statErr := os.Lstat(path)
	switch {
	case statErr == nil && info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%w: a symbolic link is in its place", ErrChanged)
	case statErr == nil && !info.Mode().IsRegular():
		return errKindChanged
	case errors.Is(err, syscall.ELOOP):
		return fmt.Errorf("%w: a directory above it is a symbolic link", ErrChanged)
	}
	return &fs.PathError{Op: "open", Path: path, Err: reason(err)}
}

// read reads the item's file from an offset on, and returns the status of the file after
// that. It stops once it has the wanted number of bytes, but reads more than that if
// one system call gives more.
func (it *item) read(o *opener, buf []byte, want int, from int64) (n int, now status, err error) {
	file, err := o.open(it.root(), it.path)
	if err != nil {
		return 0, status{}, gone(it.file(), err)
	}
	defer func() { _ = file.Close() }() // it was only read
	var readErr error
	for n < len(buf) && readErr == nil {
		var m int
		m, readErr = file.ReadAt(buf[n:], from+int64(n))
		if n += m; n >= want {
			break
		}
	}
	now, err = file.status()
	if err != nil {
		return n, now, &fs.PathError{Op: "stat", Path: it.file(), Err: reason(err)}
	}
	// If the file is too short or no longer a file, its status says more.
	if readErr != nil && now.regular && !errors.Is(readErr, io.EOF) {
		err = &fs.PathError{Op: "read", Path: it.file(), Err: reason(readErr)}
	}
	return n, now, err
}

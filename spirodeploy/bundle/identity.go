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

// readableByAll reports whether everybody may read a file. The walk opens only other
// files to find out, and so stays fast.
func readableByAll(mode fs.FileMode) bool { return mode.Perm()&0o444 == 0o444 }

// checkReadable makes the walk find an unreadable file, which would otherwise stop an
// upload half-way.
func checkReadable(path string, mode fs.FileMode) error {
	if readableByAll(mode) {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
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

// unreadable returns why a file could not be read. It returns nil if the file is too
// short or no longer a file: its status says more.
func unreadable(path string, now status, err error) error {
	if err == nil || !now.regular || errors.Is(err, io.EOF) {
		return nil
	}
	return &fs.PathError{Op: "read", Path: path, Err: reason(err)}
}

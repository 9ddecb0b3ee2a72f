//go:build !linux

package bundle

import (
	"os"
	"path/filepath"
	"syscall"
)

// opener opens files below roots.
type opener struct{}

// open opens a file below a root. Without a root, it opens any file.
func (*opener) open(root *os.Root, file string) (handle, error) {
	// It must not wait if a named pipe has taken the file's place.
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	var f *os.File
	var err error
	if root == nil {
		f, err = os.OpenFile(file, flags, 0)
	} else {
		f, err = root.OpenFile(filepath.FromSlash(file), flags, 0)
	}
	return handle{f}, err
}

func (*opener) close() {}

// handle is an open file.
type handle struct{ *os.File }

func (h handle) status() (now status, err error) {
	info, err := h.Stat()
	if err != nil {
		return status{}, err
	}
	return status{regular: info.Mode().IsRegular(), size: info.Size(), identity: identityOf(info)}, nil
}

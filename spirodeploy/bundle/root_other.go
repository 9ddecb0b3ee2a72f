//go:build !linux

package bundle

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// root is a directory whose content was walked. What was found below it is opened
// below it.
type root struct {
	dir  *os.Root
	path string
}

func openRoot(path string) (*root, error) {
	dir, err := os.OpenRoot(path) // it may be a link: the user has named it
	if err != nil {
		return nil, err
	}
	return &root{dir, path}, nil
}

// file returns the path of what has a slash path below the root.
func (r *root) file(name string) string { return filepath.Join(r.path, filepath.FromSlash(name)) }

// Close closes it. Nothing below it can be read then.
func (r *root) Close() error { return r.dir.Close() }

// top returns it as a directory to walk.
func (r *root) top() *folder { return &folder{root: r, rel: "."} }

// folder is a directory while it is walked.
type folder struct {
	root *root
	rel  string
	file *os.File // while it is listed
}

func (f *folder) retain() {}

// release closes the directory. It can be looked at all the same.
func (f *folder) release() {
	if f.file != nil {
		_ = f.file.Close() // it was only read
	}
}

func (f *folder) in(name string) (rel, path string) {
	rel = filepath.Join(f.rel, name)
	return rel, filepath.Join(f.root.path, rel)
}

// open opens a directory in this one. It follows no link.
func (f *folder) open(name string) (*folder, error) {
	rel, _ := f.in(name)
	seen, err := f.root.dir.Lstat(rel)
	if err != nil {
		return nil, err
	}
	file, err := f.root.dir.Open(rel)
	if err != nil {
		return nil, err
	}
	// An [os.Root] follows links that do not leave it.
	if now, err := file.Stat(); err != nil || !now.IsDir() || !os.SameFile(seen, now) {
		_ = file.Close() // it was not read
		return nil, errFolderChanged
	}
	return &folder{root: f.root, rel: rel, file: file}, nil
}

func (f *folder) list(n int) ([]fs.DirEntry, error) {
	if f.file == nil {
		var err error
		if f.file, err = f.root.dir.Open(f.rel); err != nil {
			return nil, err
		}
	}
	return f.file.ReadDir(n)
}

// look returns what something in the directory is, not following a link.
func (f *folder) look(name string) (e Entry, err error) {
	rel, path := f.in(name)
	e.from = &origin{path: path}
	info, err := f.root.dir.Lstat(rel)
	if err != nil {
		return e, err
	}
	e.Mode = info.Mode()
	switch {
	case e.Mode.IsRegular():
		now := statusOf(info)
		e.Size, e.from.was = now.size, now.identity
		if readableByAll(e.Mode) {
			break
		}
		file, err := f.root.dir.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return e, err
		}
		return e, file.Close()
	case e.Mode&fs.ModeSymlink != 0:
		target, err := f.root.dir.Readlink(rel)
		e.Link = linkTarget(target)
		return e, err
	}
	return e, nil
}

// opener opens files below roots.
type opener struct{}

// open opens a file below a root, or any file, if there is no root.
func (*opener) open(r *root, path string) (*os.File, error) {
	// A named pipe that has taken the file's place must not be waited for.
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	if r == nil {
		return os.OpenFile(path, flags, 0)
	}
	rel, err := filepath.Rel(r.path, path)
	if err != nil {
		return nil, err
	}
	return r.dir.OpenFile(rel, flags, 0)
}

func (*opener) close() {}

// readFile reads the content of a file from an offset on, and returns what the file
// was afterwards. It fills the buffer as far as the file goes.
func readFile(o *opener, r *root, path string, buf []byte, _ int, from int64) (n int, now status, err error) {
	file, err := o.open(r, path)
	if err != nil {
		return 0, status{}, gone(path, err)
	}
	defer file.Close()
	n, readErr := file.ReadAt(buf, from)
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
	return status{regular: info.Mode().IsRegular(), size: info.Size(), identity: identityOf(info)}
}

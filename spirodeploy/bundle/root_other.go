//go:build !linux

package bundle

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// root is a directory that was walked. Readers open its files through it.
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

// file returns the path of a file by its slash path below the root.
func (r *root) file(name string) string { return filepath.Join(r.path, filepath.FromSlash(name)) }

// Close closes the directory. Its files cannot be opened from then on.
func (r *root) Close() error { return r.dir.Close() }

// top returns the root as a folder.
func (r *root) top() *folder { return &folder{root: r, rel: "."} }

// folder is a directory during the walk.
type folder struct {
	root *root
	rel  string
	file *os.File // while it is listed
}

func (f *folder) retain() {}

// release closes the listing. The folder can still look at entries.
func (f *folder) release() {
	if f.file != nil {
		_ = f.file.Close() // it was only read
	}
}

func (f *folder) in(name string) (rel, path string) {
	rel = filepath.Join(f.rel, name)
	return rel, filepath.Join(f.root.path, rel)
}

// open opens a subdirectory. It follows no link.
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

// look returns an entry of the directory. It follows no link.
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

// open opens a file below a root. Without a root, it opens any file.
func (*opener) open(r *root, path string) (*os.File, error) {
	// It must not wait if a named pipe has taken the file's place.
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

// readFile reads a file from an offset on, and returns the status of the file after
// that. It fills the buffer as far as the file goes.
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

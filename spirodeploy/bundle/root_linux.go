package bundle

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Most files are small. For these, package os takes as long as the kernel, since it
// prepares each file for waiting, so this file makes the system calls itself. They start
// at an open directory, so that nobody can exchange a directory on the way.

// root is a directory that was walked. Readers open its files through it.
type root struct {
	dir *os.File

	// A bundle may be closed while readers are at work: another file may then get the
	// number of the closed descriptor at once.
	mu     sync.RWMutex
	closed bool
}

func openRoot(path string) (*root, error) {
	dir, err := os.Open(path) // it may be a link: the user has named it
	if err != nil {
		return nil, err
	}
	return &root{dir: dir}, nil
}

// file returns the path of a file by its slash path below the root.
func (r *root) file(name string) string { return filepath.Join(r.dir.Name(), filepath.FromSlash(name)) }

// Close closes the directory. Its files cannot be opened from then on.
func (r *root) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.dir.Close()
}

// top returns the root as a folder, which stays open when it is released.
func (r *root) top() *folder {
	f := &folder{dir: r.dir}
	f.users.Store(2)
	return f
}

// folder is a directory during the walk.
type folder struct {
	dir   *os.File
	users atomic.Int32
}

func (f *folder) retain() { f.users.Add(1) }

// release closes the folder after its last use.
func (f *folder) release() {
	if f.users.Add(-1) == 0 {
		_ = f.dir.Close() // it was only read
	}
}

// open opens a subdirectory. It follows no link.
func (f *folder) open(name string) (*folder, error) {
	path := f.dir.Name() + "/" + name // not cleaned: opener.open cuts off the root's
	fd, err := openFolderAt(int(f.dir.Fd()), name)
	switch {
	case errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENOTDIR):
		return nil, errFolderChanged
	case err != nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	child := &folder{dir: os.NewFile(uintptr(fd), path)}
	child.users.Store(1)
	return child, nil
}

func (f *folder) list(n int) ([]fs.DirEntry, error) { return f.dir.ReadDir(n) }

// look returns an entry of the directory. It follows no link.
func (f *folder) look(name string) (e Entry, err error) {
	path := f.dir.Name() + "/" + name
	e.from = &origin{path: path}
	var stat unix.Stat_t
	if err := statAt(int(f.dir.Fd()), name, &stat); err != nil {
		return e, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	kind, known := kinds[stat.Mode&unix.S_IFMT]
	if !known {
		kind = fs.ModeIrregular
	}
	e.Mode = fs.FileMode(stat.Mode).Perm() | kind
	switch {
	case e.Mode.IsRegular():
		now := statusOf(&stat)
		e.Size, e.from.was = now.size, now.identity
		return e, f.checkReadable(name, e.Mode)
	case e.Mode&fs.ModeSymlink != 0:
		target := make([]byte, maxName+1) // Linux has none that are longer
		n, err := unix.Readlinkat(int(f.dir.Fd()), name, target)
		if err != nil {
			return e, &fs.PathError{Op: "readlink", Path: path, Err: err}
		}
		e.Link = string(target[:n])
	}
	return e, nil
}

func (f *folder) checkReadable(name string, mode fs.FileMode) error {
	if readableByAll(mode) {
		return nil
	}
	fd, err := again(func() (int, error) {
		return unix.Openat(int(f.dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return unix.Close(fd)
}

// kinds are the types of files that package fs knows.
var kinds = map[uint32]fs.FileMode{
	unix.S_IFREG: 0, unix.S_IFDIR: fs.ModeDir, unix.S_IFLNK: fs.ModeSymlink, unix.S_IFIFO: fs.ModeNamedPipe,
	unix.S_IFSOCK: fs.ModeSocket, unix.S_IFCHR: fs.ModeDevice, unix.S_IFBLK: fs.ModeDevice,
}

// opener opens files below roots, one after the other. It keeps the last directory
// open, since the next file is most often in the same one.
type opener struct {
	root *root
	dir  string // below the root
	fd   int    // of that; only with a root
}

// open opens a file below a root, without following a link. Without a root, it opens
// any file.
func (o *opener) open(r *root, path string) (int, error) {
	// It must not wait if a named pipe has taken the file's place.
	const flags = unix.O_RDONLY | unix.O_NONBLOCK | unix.O_CLOEXEC
	if r == nil {
		return again(func() (int, error) { return unix.Open(path, flags, 0) })
	}
	path = path[len(r.dir.Name())+1:]
	dir := parent(path)
	if o.root != r || o.dir != dir {
		o.close()
		fd, err := r.openFolder(dir)
		if err != nil {
			return -1, err
		}
		o.root, o.dir, o.fd = r, dir, fd
	}
	name := path[strings.LastIndexByte(path, '/')+1:]
	return again(func() (int, error) { return unix.Openat(o.fd, name, flags|unix.O_NOFOLLOW, 0) })
}

func (o *opener) close() {
	if o.root != nil {
		_ = unix.Close(o.fd) // nothing was written to it
		o.root = nil
	}
}

// openFolder opens a directory below the root. It follows no link.
func (r *root) openFolder(dir string) (int, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return -1, fs.ErrClosed
	}
	fd, todo := int(r.dir.Fd()), "."
	if dir != "" {
		todo = dir
	}
	for more := true; more; {
		var name string
		name, todo, more = strings.Cut(todo, "/")
		next, err := openFolderAt(fd, name)
		if fd != int(r.dir.Fd()) {
			_ = unix.Close(fd) // nothing was written to it
		}
		if err != nil {
			return -1, err
		}
		fd = next
	}
	return fd, nil
}

// openFolderAt opens a directory in an open one. It follows no link.
func openFolderAt(dir int, name string) (int, error) {
	fd, err := again(func() (int, error) {
		return unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err == nil || !errors.Is(err, syscall.ENOTDIR) {
		return fd, err
	}
	var stat unix.Stat_t
	if statAt(dir, name, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFLNK {
		err = syscall.ELOOP // as it is without O_DIRECTORY
	}
	return -1, err
}

// readFile reads a file from an offset on, and returns the status of the file after
// that. It stops once it has the wanted number of bytes, but reads more than that if
// one system call gives more.
func readFile(o *opener, r *root, path string, buf []byte, want int, from int64) (n int, now status, err error) {
	fd, err := o.open(r, path)
	if err != nil {
		return 0, status{}, gone(path, err)
	}
	defer func() { _ = unix.Close(fd) }() // it was only read
	var readErr error
	for n < len(buf) && readErr == nil {
		var m int
		m, readErr = again(func() (int, error) { return unix.Pread(fd, buf[n:], from+int64(n)) })
		n += max(m, 0)
		if n >= want {
			break
		}
		if m == 0 && readErr == nil {
			readErr = io.EOF
		}
	}
	var stat unix.Stat_t
	if _, err := again(func() (int, error) { return 0, unix.Fstat(fd, &stat) }); err != nil {
		return n, status{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	now = statusOf(&stat)
	return n, now, unreadable(path, now, readErr)
}

// statAt is fstatat(2). It follows no link.
func statAt(dir int, name string, stat *unix.Stat_t) error {
	_, err := again(func() (int, error) { return 0, unix.Fstatat(dir, name, stat, unix.AT_SYMLINK_NOFOLLOW) })
	return err
}

func statusOf(stat *unix.Stat_t) status {
	return status{
		regular: stat.Mode&unix.S_IFMT == unix.S_IFREG, size: stat.Size,
		identity: identity{modTime: stat.Mtim.Nano(), change: stat.Ctim.Nano(), device: uint64(stat.Dev), inode: stat.Ino}, //nolint:unconvert // 32 bits on some machines
	}
}

// again repeats a system call until no signal interrupts it.
func again(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR { //nolint:errorlint // system calls return it as it is
			return n, err
		}
	}
}

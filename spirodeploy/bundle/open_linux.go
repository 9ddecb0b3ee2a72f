package bundle

import (
	"io"
	"os"
	"path"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Most files are small. For these, package os takes as long as the kernel, since it
// prepares each file for waiting, so this file makes the system calls itself. They start
// at an open directory, so that nobody can exchange a directory on the way.

// opener opens files below roots, one after the other. It keeps the last directory
// open, since the next file is most often in the same one.
type opener struct {
	root   *os.Root
	dir    string // below the root
	folder handle // of that; only with a root
}

// open opens a file below a root, without following a link. Without a root, it opens
// any file.
func (o *opener) open(root *os.Root, file string) (handle, error) {
	if root == nil {
		return openAt(unix.AT_FDCWD, file, 0)
	}
	dir, name := path.Split(file)
	if o.root != root || o.dir != dir {
		o.close()
		folder, err := openBelow(root, dir)
		if err != nil {
			return folder, err
		}
		*o = opener{root, dir, folder}
	}
	return openAt(o.folder, name, unix.O_NOFOLLOW)
}

func (o *opener) close() {
	if o.root != nil {
		_ = o.folder.Close() // nothing was written to it
		o.root = nil
	}
}

// openBelow opens a directory below a root. It follows no link.
func openBelow(root *os.Root, dir string) (folder handle, err error) {
	top, err := root.Open(".") // fails if the root is closed
	if err != nil {
		return -1, err
	}
	defer top.Close()
	folder, err = openAt(handle(top.Fd()), ".", 0)
	for name := range strings.SplitSeq(path.Clean(dir), "/") {
		if err != nil {
			break
		}
		above := folder
		folder, err = openAt(above, name, unix.O_NOFOLLOW)
		_ = above.Close() // nothing was written to it
	}
	return folder, err
}

// openAt opens a file or directory in an open directory. It does not wait if a named pipe
// has taken the file's place.
func openAt(dir handle, name string, flags int) (handle, error) {
	fd, err := again(func() (int, error) {
		return unix.Openat(int(dir), name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|flags, 0)
	})
	return handle(fd), err
}

// handle is the descriptor of an open file or directory.
type handle int

// ReadAt makes one system call, and may so read less than there is room for.
func (h handle) ReadAt(p []byte, at int64) (int, error) {
	n, err := again(func() (int, error) { return unix.Pread(int(h), p, at) })
	if n == 0 && err == nil {
		err = io.EOF
	}
	return max(n, 0), err
}

func (h handle) Close() error { return unix.Close(int(h)) }

func (h handle) status() (now status, err error) {
	var stat unix.Stat_t
	_, err = again(func() (int, error) { return 0, unix.Fstat(int(h), &stat) })
	return status{
		regular: stat.Mode&unix.S_IFMT == unix.S_IFREG, size: stat.Size,
		identity: identity{modTime: stat.Mtim.Nano(), change: stat.Ctim.Nano(), device: uint64(stat.Dev), inode: stat.Ino}, //nolint:unconvert // 32 bits on some machines
	}, err
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

package spirotest

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// openTar reads a bundle from its start. Python's tarfile, and so the real
// server, takes a compressed tar as well as a plain one.
func openTar(bundle *os.File) (*tar.Reader, error) {
	if _, err := bundle.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	buffered := bufio.NewReaderSize(bundle, 1<<16)
	var plain io.Reader = buffered
	var err error
	switch magic, _ := buffered.Peek(3); {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		plain, err = gzip.NewReader(buffered)
	case string(magic) == "BZh":
		plain = bzip2.NewReader(buffered)
	}
	if err != nil {
		return nil, err
	}
	inner := bufio.NewReaderSize(plain, 1<<16)
	if _, err := inner.Peek(1); err != nil {
		return nil, fmt.Errorf("empty file: %w", err)
	}
	return tar.NewReader(inner), nil
}

// each calls do with the members of a bundle, insecure names included: unpack judges them.
func each(bundle *os.File, do func(h *tar.Header, content io.Reader) error) error {
	members, err := openTar(bundle)
	if err != nil {
		return err
	}
	for {
		h, err := members.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return err
		}
		if err := do(h, members); err != nil {
			return err
		}
	}
}

// readable tells whether a bundle is a tar from its start to its end.
func readable(bundle *os.File) bool {
	return each(bundle, func(*tar.Header, io.Reader) error { return nil }) == nil
}

// unpack puts the members of a bundle below root. Nothing can leave root: it is
// os.Root that resolves every name.
func unpack(root *os.Root, bundle *os.File) error {
	u := &unpacker{root: root}
	err := each(bundle, func(h *tar.Header, content io.Reader) error {
		return u.named(h, u.member(h, content))
	})
	if err != nil {
		return err
	}
	for _, f := range u.folders {
		err := errors.Join(u.root.Chmod(f.name, permissions(f.header)|0o700), u.root.Chtimes(f.name, time.Time{}, f.header.ModTime))
		if err != nil {
			return u.named(f.header, err)
		}
	}
	return u.checkLinks()
}

type unpacker struct {
	root    *os.Root
	folders []folder // their times are set when all that is in them is there
}

type folder struct {
	name   string
	header *tar.Header
}

func (u *unpacker) member(h *tar.Header, content io.Reader) error {
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil // git archive writes one for its commit
	}
	name, err := u.local(h.Name)
	if err != nil || name == "." {
		return err
	}
	err = u.root.MkdirAll(filepath.Dir(name), 0o755)
	if errors.Is(err, fs.ErrExist) {
		err = &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
	}
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return u.folder(name, h)
	case tar.TypeSymlink:
		return u.symlink(name, h)
	case tar.TypeLink:
		target, err := u.local(h.Linkname)
		if err != nil {
			return leaves(h.Name, h.Linkname)
		}
		return u.root.Link(target, name)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return exception{"tarfile.SpecialFileError", fmt.Sprintf("'%s' is a special file", h.Name)}
	default:
		return u.file(name, h, content)
	}
}

// local is a member's name as a path below root.
func (u *unpacker) local(name string) (string, error) {
	if path.IsAbs(name) {
		return "", exception{"tarfile.AbsolutePathError", fmt.Sprintf("member '%s' has an absolute path", name)}
	}
	local := filepath.FromSlash(path.Clean(name))
	if !filepath.IsLocal(local) {
		return "", u.outside(name)
	}
	return local, nil
}

func (u *unpacker) outside(name string) error {
	return exception{"tarfile.OutsideDestinationError", fmt.Sprintf(
		"'%s' would be extracted to '%s', which is outside the destination", name, full(u.root, name))}
}

func full(root *os.Root, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(root.Name(), name)
}

func (u *unpacker) folder(name string, h *tar.Header) error {
	u.folders = append(u.folders, folder{name, h})
	err := u.root.Mkdir(name, 0o755)
	if info, statErr := u.root.Stat(name); statErr == nil && info.IsDir() {
		return nil
	}
	return err
}

func (u *unpacker) file(name string, h *tar.Header, content io.Reader) error {
	file, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	err = errors.Join(err, file.Chmod(permissions(h)|0o600), file.Close())
	if err != nil {
		return err
	}
	return u.root.Chtimes(name, time.Time{}, h.ModTime)
}

func (u *unpacker) symlink(name string, h *tar.Header) error {
	if path.IsAbs(h.Linkname) {
		return exception{"tarfile.AbsoluteLinkError", fmt.Sprintf("'%s' is a link to an absolute path", h.Name)}
	}
	// A later member takes the place of an earlier one, but not of a folder.
	info, err := u.root.Lstat(name)
	if err == nil && info.IsDir() {
		return &fs.PathError{Op: "unlink", Path: name, Err: syscall.EISDIR}
	}
	if err == nil {
		err = u.root.Remove(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return u.root.Symlink(h.Linkname, name)
}

func leaves(name, target string) error {
	return exception{"tarfile.LinkOutsideDestinationError", fmt.Sprintf(
		"'%s' would link to '%s', which is outside the destination", name, target)}
}

func permissions(h *tar.Header) fs.FileMode { return fs.FileMode(h.Mode & 0o777) }

// checkLinks refuses symbolic links that lead out of root. It looks at the
// finished tree: where a link leads can depend on members after it.
func (u *unpacker) checkLinks() error {
	return fs.WalkDir(u.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink == 0 {
			return err
		}
		_, err = u.root.Stat(name)
		if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return nil
		}
		target, err := u.root.Readlink(name)
		if err != nil {
			return err
		}
		return leaves(name, target)
	})
}

// named makes an error of os.Root one that Python would give: with the whole
// path, and a word for what os.Root kept from leaving.
func (u *unpacker) named(h *tar.Header, err error) error {
	var errno syscall.Errno
	switch {
	case err == nil, errors.As(err, new(exception)):
		return err
	case !errors.As(err, &errno):
		return u.outside(strings.TrimSuffix(h.Name, "/"))
	case errors.As(err, new(*fs.PathError)):
		return located(u.root, err)
	default:
		return &fs.PathError{Op: "unpack", Path: full(u.root, h.Name), Err: errno}
	}
}

// located gives an error of os.Root the whole path.
func located(root *os.Root, err error) error {
	var at *fs.PathError
	if !errors.As(err, &at) {
		return err
	}
	return &fs.PathError{Op: at.Op, Path: full(root, at.Path), Err: at.Err}
}

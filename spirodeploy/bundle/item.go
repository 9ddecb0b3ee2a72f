package bundle

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"slices"
	"sort"
	"strings"
	"sync"
)

// OpenItem opens a regular file of the bundle by its name. It fails with
// [fs.ErrNotExist] if there is no such file, and as the reader of [Bundle.Open] does
// if the file is not what it was when the tree was walked.
func (b *Bundle) OpenItem(name string) (io.ReadCloser, error) {
	i, ok := slices.BinarySearchFunc(b.items, name, func(it item, name string) int { return strings.Compare(it.name, name) })
	if !ok || !b.items[i].mode.IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	it := &b.items[i]
	if it.source != nil && it.source.at == nil {
		return it.source.open()
	}
	return io.NopCloser(io.NewSectionReader(filled{b}, it.content, it.size)), nil
}

// Has tells whether there is an entry of a slash path, without a slash at its end, and
// whether that is a directory.
func (b *Bundle) Has(name string) (dir, ok bool) {
	return has(len(b.items), func(i int) string { return b.items[i].name }, name)
}

// has looks for a name, or for entries below it, among names that are sorted.
func has(n int, nameOf func(int) string, name string) (dir, ok bool) {
	at := func(want string) int {
		return sort.Search(n, func(i int) bool { return nameOf(i) >= want })
	}
	if i := at(name); i < n && nameOf(i) == name {
		return false, true
	}
	i := at(name + "/")
	ok = i < n && strings.HasPrefix(nameOf(i), name+"/")
	return ok, ok
}

// filled reads the tar anywhere.
type filled struct{ b *Bundle }

func (f filled) ReadAt(p []byte, at int64) (int, error) {
	n := min(int64(len(p)), f.b.size-at)
	if n <= 0 {
		return 0, io.EOF
	}
	if err := f.b.fill(p[:n], at); err != nil {
		return 0, err
	}
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// Items yields the entries in the order of the tar.
func (f *File) Items() iter.Seq[Item] { return slices.Values(f.contents.Items) }

// Has is [Bundle.Has], also for directories that have no entry of their own.
func (f *File) Has(name string) (dir, ok bool) {
	names := f.sorted()
	return has(len(names), func(i int) string { return names[i] }, name)
}

// sortedNames returns the names of all entries, without a "./" before them.
func (f *File) sortedNames() []string {
	names := make([]string, len(f.contents.Items))
	for i, it := range f.contents.Items {
		names[i] = it.Name
		if clean := path.Clean(it.Name); clean != strings.TrimSuffix(it.Name, "/") {
			names[i] = clean
		}
	}
	slices.Sort(names)
	return names
}

// OpenItem opens a regular file of the bundle by its name. It fails with
// [fs.ErrNotExist] if there is no such file. The first call reads the headers of the tar.
func (f *File) OpenItem(name string) (io.ReadCloser, error) { return f.offsets.open(name) }

// OpenItem opens a regular file, as [File.OpenItem] does.
func (c *Copied) OpenItem(name string) (io.ReadCloser, error) { return c.offsets.open(name) }

// offsets finds the contents of regular files in a tar that has been verified.
type offsets struct {
	r    io.ReaderAt
	size int64

	once  sync.Once
	found map[string]stretch
	err   error
}

// stretch is where the content of a file lies in a tar.
type stretch struct{ offset, size int64 }

func (x *offsets) open(name string) (io.ReadCloser, error) {
	x.once.Do(func() { x.found, x.err = x.read() })
	if x.err != nil {
		return nil, fmt.Errorf("read the bundle again: %w", x.err)
	}
	at, ok := x.found[path.Clean(name)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(io.NewSectionReader(x.r, at.offset, at.size)), nil
}

func (x *offsets) read() (map[string]stretch, error) {
	in := io.NewSectionReader(x.r, 0, x.size)
	found := map[string]stretch{}
	for headers := tar.NewReader(in); ; {
		h, err := headers.Next()
		switch {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return nil, err
		case h.Typeflag == tar.TypeLink: // to a file before it
			found[path.Clean(h.Name)] = found[path.Clean(h.Linkname)]
			continue
		case h.Typeflag != tar.TypeReg:
			continue
		}
		offset, err := in.Seek(0, io.SeekCurrent) // the reader does not read ahead
		if err != nil {
			return nil, err
		}
		found[path.Clean(h.Name)] = stretch{offset, h.Size}
	}
}

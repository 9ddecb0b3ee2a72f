package bundle

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/tempfile"
)

// A Bundle is a tar of states: made from a tree by [New], or opened by [OpenFile].
// Several goroutines may use it. Close it after use.
type Bundle struct {
	path     string // the project directory, or the file
	modTime  time.Time
	items    items // in the order of the tar
	index    index
	size     int64
	commit   string
	warnings []Warning
	starts   []int64        // offsets of some items, if New has made the bundle
	temp     *tempfile.File // made when it is needed
	closers  []io.Closer

	mu   sync.Mutex
	tar  io.ReaderAt // the bytes of the tar
	kept bool        // whether they are in a file that nobody else can change
	// sequential are the items that can be read from their beginning only. Nobody reads
	// them if the tar is kept.
	sequential []item

	want   digest.Digest
	digest digest.Digest // once known
}

// An Item describes an entry of a bundle.
type Item struct {
	Name string      // slash path; a directory's ends with a slash
	Mode fs.FileMode // type and permissions
	Size int64       // of a regular file, in bytes
	Link string      // target of a symbolic link
}

// origin is the origin of an entry that New has found.
type origin struct {
	path   string   // file on disk, or ""; below a root, if the owner is one
	was    identity // of the file on disk
	source *source  // the entries of a walk share one; nil: package os opens the file
}

// source opens the content of entries.
type source struct {
	owner io.Closer // stays open as long as the bundle; an *os.Root opens the file
	// Content from elsewhere than that file.
	at   io.ReaderAt
	open func() (io.ReadCloser, error)
}

// file returns the file on disk, or "".
func (o *origin) file() string {
	if root := o.root(); root != nil && o.path != "" {
		return filepath.Join(root.Name(), filepath.FromSlash(o.path))
	}
	return o.path
}

// root returns the walked directory that the file is below, or nil.
func (o *origin) root() *os.Root {
	if o.source == nil {
		return nil
	}
	root, _ := o.source.owner.(*os.Root)
	return root
}

// index finds the entries of a bundle.
type index interface {
	// look returns an entry. A directory's name has no slash at its end.
	look(name string) (it Item, ok bool)
	// find returns the index of a regular file by its name, or -1.
	find(name string) int
}

// Size returns the size of the tar in bytes.
func (b *Bundle) Size() int64 { return b.size }

// Len returns the number of entries.
func (b *Bundle) Len() int { return b.items.len() }

// Commit returns the content of .gitcommit, or "" if there is none. It names the
// commit that the bundle was made from.
func (b *Bundle) Commit() string { return b.commit }

// Warnings returns what a person should know about the bundle.
func (b *Bundle) Warnings() []Warning { return slices.Clone(b.warnings) }

// Items yields the entries in the order of the tar.
func (b *Bundle) Items() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for i := range b.items.len() {
			if !yield(b.items.at(i).Item) {
				return
			}
		}
	}
}

// Has reports whether the bundle has an entry of a name, or entries below it, and whether
// that is a directory. The name has no slash at its end.
func (b *Bundle) Has(name string) (dir, ok bool) {
	it, ok := b.index.look(name)
	return it.Mode.IsDir(), ok
}

// OpenItem opens a regular file of the bundle by its name. It fails with
// [fs.ErrNotExist] if the bundle has no such file. The reader fails with [ErrChanged]
// if the file on disk has changed.
func (b *Bundle) OpenItem(name string) (io.ReadCloser, error) {
	i := b.index.find(name)
	if i < 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	it := b.item(i)
	b.mu.Lock()
	tar, kept := b.tar, b.kept
	b.mu.Unlock()
	if it.sequential() && !kept {
		return it.source.open() // without the lock: it may use the bundle
	}
	return io.NopCloser(io.NewSectionReader(tar, it.content, it.Size)), nil
}

// Open returns a reader of the tar, which reads ahead. Before the last byte, it fails
// with [ErrChanged] if a file has changed, and with [ErrDigest] if the digest is not
// [Options.Digest] or that of an earlier reader. Several readers may be open at once.
// Close during a Read makes that fail with [fs.ErrClosed]. After [Bundle.Keep], readers
// read the copy, which nobody changes, and do neither.
func (b *Bundle) Open() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept {
		return io.NopCloser(io.NewSectionReader(b.tar, 0, b.size)), nil
	}
	return newPump(&layout{tar: b.tar, size: b.size, sequential: b.sequential, failed: b.failed}, b.size, cmp.Or(b.want, b.digest), b.learn), nil
}

// learn stores the digest that a reader has found.
func (b *Bundle) learn(d digest.Digest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.digest = d
}

// Digest returns the digest of the tar. It reads the tar if no reader has reached the end.
func (b *Bundle) Digest(ctx context.Context) (digest.Digest, error) {
	known := func() digest.Digest {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.digest
	}
	if d := known(); d != "" {
		return d, nil
	}
	_, err := b.WriteTo(ctxio.Writer(ctx, io.Discard))
	return known(), err
}

// WriteTo writes the tar. The error comes from the reader of [Bundle.Open] or from w.
func (b *Bundle) WriteTo(w io.Writer) (int64, error) {
	r, err := b.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(w, r)
}

// Keep copies the tar into a temporary file, which later readers read. The bundle is
// then neither made nor hashed again, and nobody else can change it: for a bundle that
// goes to several servers. Call Keep from one goroutine only.
func (b *Bundle) Keep(ctx context.Context) error {
	if b.kept { // nobody else changes it
		return nil
	}
	in, err := b.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	tar, err := b.spool(ctxio.Reader(ctx, in))
	if spoolFailed(err) {
		err = Problems{{Err: err, Hint: tempfile.Hint}}
	}
	if err != nil {
		return ctxio.Cause(ctx, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tar, b.kept = tar, true
	return nil
}

// spool appends the content of r to the bundle's temporary file.
func (b *Bundle) spool(r io.Reader) (_ *io.SectionReader, err error) {
	if b.temp == nil {
		if b.temp, err = tempfile.New(); err != nil {
			return nil, err
		}
		b.closers = append(b.closers, b.temp)
	}
	return b.temp.Append(r)
}

// spoolFailed reports whether an error comes from the temporary file.
func spoolFailed(err error) bool { return errors.As(err, new(*tempfile.Error)) }

// own makes Close close c, too.
func (b *Bundle) own(c io.Closer) {
	if c != nil && !slices.Contains(b.closers, c) {
		b.closers = append(b.closers, c)
	}
}

// Close closes all files and removes temporary ones. Open readers fail from then on.
func (b *Bundle) Close() error {
	var errs []error
	for _, c := range b.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

package bundle

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
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
	items    []item // in the order of the tar
	index    index
	size     int64
	commit   string
	warnings []Warning
	// sequential are the indexes of the items that can only be read from their beginning.
	sequential []int
	temp       *tempfile.File // made when it is needed
	closers    []io.Closer

	mu     sync.Mutex
	tar    io.ReaderAt // all bytes, if they exist
	kept   bool        // whether nobody else can change these
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

// item is an entry of a bundle in its place. There may be very many.
type item struct {
	Item
	content int64   // offset of its content in the tar
	from    *origin // nil for an entry that no file on disk stands for
}

// origin is where an entry comes from.
type origin struct {
	path  string    // the file on disk, if there is one
	owner io.Closer // what has to stay open for the content to be read; a *root opens path
	was   identity  // of the file on disk
	// Content that is not that file's.
	at   io.ReaderAt                   // can be read anywhere
	open func() (io.ReadCloser, error) // can be read from its beginning
}

// file returns the file on disk, or "".
func (o *origin) file() string {
	if o == nil {
		return ""
	}
	return o.path
}

// index finds the entries of a bundle.
type index interface {
	// look returns the type and the target of an entry, by its name without the slash
	// of a directory.
	look(name string) (kind fs.FileMode, link string, ok bool)
	// find returns which entry is the regular file of a name, or -1.
	find(name string) int
}

// Size returns the size of the tar in bytes.
func (b *Bundle) Size() int64 { return b.size }

// Len returns the number of entries.
func (b *Bundle) Len() int { return len(b.items) }

// Commit returns the content of .gitcommit, or "" if there is none. It names the
// commit that the bundle was made from.
func (b *Bundle) Commit() string { return b.commit }

// Warnings returns what a person should know about the bundle.
func (b *Bundle) Warnings() []Warning { return slices.Clone(b.warnings) }

// Items yields the entries in the order of the tar.
func (b *Bundle) Items() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for _, it := range b.items {
			if !yield(it.Item) {
				return
			}
		}
	}
}

// Has reports whether the bundle has an entry of a slash path, given without a slash at
// its end, or entries below it, and whether that is a directory.
func (b *Bundle) Has(name string) (dir, ok bool) {
	kind, _, ok := b.index.look(name)
	return kind == fs.ModeDir, ok
}

// OpenItem opens a regular file of the bundle by its name. It fails with
// [fs.ErrNotExist] if there is no such file, and with [ErrChanged] if a file on disk is
// not the one that New has seen.
func (b *Bundle) OpenItem(name string) (io.ReadCloser, error) {
	i := b.index.find(name)
	if i < 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	it := &b.items[i]
	tar, _ := b.existing()
	switch {
	case tar == nil && it.sequential():
		return it.from.open()
	case tar == nil:
		tar = filled{b}
	}
	return io.NopCloser(io.NewSectionReader(tar, it.content, it.Size)), nil
}

// existing returns the bytes of the tar if they exist, and whether nobody else can
// change them.
func (b *Bundle) existing() (tar io.ReaderAt, kept bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.tar, b.kept
}

// Open returns a reader of the tar. The reader fails before the last byte: with
// [ErrChanged] if a file is not what it was, with [ErrDigest] if the bytes are not
// those of [Options.Digest] or of an earlier reader. It reads ahead. Readers do not
// disturb each other. Close may be called during a Read, which then fails with
// [fs.ErrClosed].
func (b *Bundle) Open() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var p plan = &layout{b: b}
	switch {
	case b.kept:
		return io.NopCloser(io.NewSectionReader(b.tar, 0, b.size)), nil
	case b.tar != nil:
		p = &region{r: b.tar, size: b.size}
	}
	return newPump(p, b.size, cmp.Or(b.want, b.digest), b.learn), nil
}

// learn keeps the digest that a whole read has found.
func (b *Bundle) learn(d digest.Digest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.digest = d
}

// Digest returns the digest of the tar. It reads the tar if nobody has done so before.
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

// WriteTo writes the tar. Its errors are those of the reader of [Bundle.Open], and of w.
func (b *Bundle) WriteTo(w io.Writer) (int64, error) {
	r, err := b.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(w, r)
}

// Keep copies the tar into a temporary file, from which readers get it from then on.
// It is then neither made nor hashed again, and nobody else can change it: that is for
// a bundle that goes to several servers.
func (b *Bundle) Keep(ctx context.Context) error {
	if _, kept := b.existing(); kept {
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

// spool keeps what r yields in the bundle's temporary file.
func (b *Bundle) spool(r io.Reader) (_ *io.SectionReader, err error) {
	if b.temp == nil {
		if b.temp, err = tempfile.New(); err != nil {
			return nil, err
		}
		b.closers = append(b.closers, b.temp)
	}
	return b.temp.Append(r)
}

// spoolFailed reports whether a temporary file is at fault.
func spoolFailed(err error) bool { return errors.As(err, new(*tempfile.Error)) }

// own closes something when the bundle is closed.
func (b *Bundle) own(c io.Closer) {
	if last := len(b.closers) - 1; c == nil || last >= 0 && b.closers[last] == c || slices.Contains(b.closers, c) {
		return
	}
	b.closers = append(b.closers, c)
}

// Close closes all files, and removes temporary ones. Readers of the bundle fail then.
func (b *Bundle) Close() error {
	var errs []error
	for _, c := range b.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

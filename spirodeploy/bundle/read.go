package bundle

import (
	"context"
	_ "crypto/sha256" // go-digest does not import it
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/until"
)

// Open returns a reader of the tar. It fails with [ErrChanged] where a file is
// not what it was when the tree was walked, and with [ErrDigest] where the
// bytes are not those that an earlier reader yielded, both before the last
// byte. Readers do not disturb each other. Close may be called while Read is
// running; Read then fails with [fs.ErrClosed].
func (b *Bundle) Open() (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	want := b.want
	if want == "" {
		want = b.digest
	}
	return newChecked(&reader{b: b}, b.size, want, b.learn), nil
}

// learn keeps the digest that a whole read has found.
func (b *Bundle) learn(d digest.Digest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.digest = d
}

// WriteTo writes the tar. Its errors are those of [Bundle.Open]'s reader and of w.
func (b *Bundle) WriteTo(w io.Writer) (int64, error) {
	r, err := b.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	// Hidden methods of w and r must not get between: one large buffer is best.
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{r}, make([]byte, copySize))
}

// copySize is large enough that the cost of a call does not count.
const copySize = 256 << 10

// Digest returns the digest of the tar. The first call reads it, unless it has
// been read already.
func (b *Bundle) Digest(ctx context.Context) (digest.Digest, error) {
	b.mu.Lock()
	known := b.digest
	b.mu.Unlock()
	if known != "" {
		return known, nil
	}
	if _, err := b.WriteTo(until.Writer(ctx, io.Discard)); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.digest, nil
}

// reader makes the tar's bytes as they are asked for.
type reader struct {
	b *Bundle

	mu     sync.Mutex
	next   int    // index of the item to come
	buf    []byte // header or padding not yet read
	store  []byte // what buf is a part of, to be used again
	file   io.ReadCloser
	item   *item // of file
	left   int64 // of file
	ended  bool
	failed error
}

// Read fills p as far as it can, so that trees of small files are read in large strides.
func (r *reader) Read(p []byte) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n < len(p) && r.failed == nil {
		if len(r.buf) > 0 {
			m := copy(p[n:], r.buf)
			r.buf, n = r.buf[m:], n+m
			continue
		}
		if r.file == nil {
			r.failed = r.advance()
			continue
		}
		var m int
		m, r.failed = r.readFile(p[n:])
		n += m
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, r.failed
}

// advance goes to the next item, or to the end.
func (r *reader) advance() error {
	if r.next == len(r.b.items) {
		if r.ended {
			return io.EOF
		}
		r.ended = true
		r.buf = zeros[:]
		return nil
	}
	it := &r.b.items[r.next]
	r.next++
	r.store = appendHeader(r.store[:0], it.header, r.b.modTime)
	r.buf = r.store
	if !it.mode.IsRegular() {
		return nil
	}
	// An empty file is opened too: it may not be empty any more.
	file, err := it.open()
	if err != nil {
		return r.b.failed(it, err)
	}
	r.file, r.item, r.left = file, it, it.size
	return nil
}

// readFile reads from the open file, and checks and closes it at its end.
func (r *reader) readFile(p []byte) (int, error) {
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.file.Read(p)
	r.left -= int64(n)
	switch {
	case r.left == 0:
		err = r.endFile()
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("%w: it has shrunk by %d bytes", ErrChanged, r.left)
	}
	if err != nil {
		return n, r.b.failed(r.item, err)
	}
	return n, nil
}

func (r *reader) endFile() error {
	file := r.file
	r.file = nil
	err := r.item.unchanged(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	r.store = appendZeros(r.store[:0], padding(r.item.size))
	r.buf = r.store
	return err
}

// Close ends the reader.
func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = fs.ErrClosed
	}
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// open opens an item's content, which must still be what the walk saw.
func (it *item) open() (io.ReadCloser, error) {
	if it.entry.Open != nil {
		return it.entry.Open()
	}
	// A named pipe that has taken the file's place must not be waited for.
	file, err := os.OpenFile(it.entry.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		if info, statErr := os.Stat(it.entry.path); statErr == nil && !info.Mode().IsRegular() {
			return nil, errKindChanged
		}
		return nil, err
	}
	if err := it.same(file); err != nil {
		_ = file.Close() // the reason is already an error
		return nil, err
	}
	return file, nil
}

var errKindChanged = fmt.Errorf("%w: it is no regular file any more", ErrChanged)

// same compares a file with what the walk saw of it.
func (it *item) same(file *os.File) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errKindChanged
	case info.Size() != it.size:
		return fmt.Errorf("%w: it had %d bytes and has %d", ErrChanged, it.size, info.Size())
	case info.ModTime().UnixNano() != it.entry.modTime:
		return fmt.Errorf("%w: its modification time is another one", ErrChanged)
	}
	return nil
}

// unchanged checks, after a file's last byte, that it ends there and that
// nobody has written to it meanwhile.
func (it *item) unchanged(file io.Reader) error {
	if f, ok := file.(*os.File); ok && it.entry.Open == nil {
		return it.same(f)
	}
	var one [1]byte
	if n, err := file.Read(one[:]); n > 0 {
		return fmt.Errorf("%w: it has more than %d bytes", ErrChanged, it.size)
	} else if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// failed says which file an error is of.
func (b *Bundle) failed(it *item, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		err = fmt.Errorf("%w: it is gone", ErrChanged)
	}
	return fmt.Errorf("read %s: %w", printable(shown(b.dir, it.entry)), reason(err))
}

// newChecked returns a reader of r that yields the last bytes only if r ends with
// them, they are size bytes in all, and these have the digest want (or whatever
// they have, if want is empty); the error is otherwise [ErrChanged] or
// [ErrDigest]. Before the last bytes are yielded,
// learn is called with their digest, unless it is nil.
func newChecked(r io.ReadCloser, size int64, want digest.Digest, learn func(digest.Digest)) io.ReadCloser {
	return &checked{ReadCloser: r, digester: digest.SHA256.Digester(), left: size, want: want, learn: learn}
}

var errLonger = fmt.Errorf("%w: there is more of it than there was", ErrChanged)

type checked struct {
	io.ReadCloser
	digester digest.Digester
	left     int64
	want     digest.Digest
	learn    func(digest.Digest)
	failed   error
}

func (c *checked) Read(p []byte) (int, error) {
	if c.failed != nil || len(p) == 0 {
		return 0, c.failed
	}
	n, err := c.ReadCloser.Read(p)
	if int64(n) > c.left {
		n, err = 0, errLonger
	}
	c.left -= int64(n)
	_, _ = c.digester.Hash().Write(p[:n]) // a hash takes everything
	switch {
	case errors.Is(err, io.EOF) && c.left > 0:
		n, err = 0, fmt.Errorf("%w: %d bytes of it are gone", ErrChanged, c.left)
	case c.left == 0 && n > 0:
		if checkErr := c.check(); checkErr != nil {
			n, err = 0, checkErr
		}
	}
	c.failed = err
	return n, err
}

// check looks, before the last bytes are yielded, at what they end.
func (c *checked) check() error {
	var one [1]byte
	switch n, err := io.ReadFull(c.ReadCloser, one[:]); {
	case n > 0:
		return errLonger
	case !errors.Is(err, io.EOF):
		return err
	}
	got := c.digester.Digest()
	if c.want != "" && c.want != got {
		return fmt.Errorf("%w: it is %s, not %s", ErrDigest, got, c.want)
	}
	if c.learn != nil {
		c.learn(got)
	}
	return nil
}

package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/ctxio"
)

// File is a bundle that exists as a file. It has the methods of a [Bundle]
// that sending one needs. Close it after use.
type File struct {
	contents *Contents
	path     string
	file     *os.File
	spool    spool
	content  io.ReaderAt
	offsets  offsets
	sorted   func() []string // names
}

// OpenFile opens and verifies a tar, whoever made it. A pipe is first read into
// a temporary file. The error is [Problems] where it is not safe to send; it is
// the context's cause where that ends first.
func OpenFile(ctx context.Context, path string) (*File, error) {
	// Opening a named pipe waits for its writer.
	file, err := ctxio.Done(ctx, func() (*os.File, error) { return os.Open(path) })
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, Problems{{Path: path, Err: fmt.Errorf("open bundle: %w", reason(err))}}
	}
	f := &File{path: path, file: file}
	f.sorted = sync.OnceValue(f.sortedNames)
	// What a pipe's reader waits for is cut short by closing it.
	stop := context.AfterFunc(ctx, func() { _ = file.Close() })
	err = f.init(ctx)
	stop()
	if err != nil {
		_ = f.Close() // the reason is already an error
		return nil, ctxio.Cause(ctx, err)
	}
	return f, nil
}

func (f *File) init(ctx context.Context) error {
	info, err := f.file.Stat()
	switch {
	case err != nil:
		return Problems{{Path: f.path, Err: reason(err)}}
	case info.IsDir():
		return Problems{{Path: f.path, Err: errors.New("is a directory, not a bundle"), Hint: "bundles are made with --output"}}
	case info.Mode().IsRegular():
		f.content = f.file
	case info.Mode()&fs.ModeDevice != 0:
		return Problems{{Path: f.path, Err: errors.New("is a device, not a bundle")}}
	default:
		if _, f.content, err = f.spool.add(ctxio.Reader(ctx, f.file)); err != nil {
			p := Problem{Path: f.path, Err: err}
			if errors.Is(err, errSpool) {
				p.Hint = spoolHint
			}
			return Problems{p}
		}
	}
	all := io.NewSectionReader(f.content, 0, math.MaxInt64)
	if f.contents, err = Verify(ctxio.Reader(ctx, all)); err != nil {
		return Problems{{Path: f.path, Err: err}}
	}
	f.offsets = offsets{r: f.content, size: f.contents.Size}
	if len(f.contents.Unsafe) > 0 {
		return fmt.Errorf("%s is not safe to send: %w", printable(f.path), f.contents.Unsafe)
	}
	if len(f.contents.Items) == 0 {
		return Problems{{Path: f.path, Err: fmt.Errorf("%w in it: it would leave the deployment without a file", ErrEmpty)}}
	}
	return nil
}

// Contents returns what was found in the file.
func (f *File) Contents() *Contents { return f.contents }

// Size returns the size of the tar in bytes.
func (f *File) Size() int64 { return f.contents.Size }

// Commit returns the content of .gitcommit, which names the commit that the
// bundle was made from; empty if there is none.
func (f *File) Commit() string { return f.contents.Commit }

// Len returns the number of entries.
func (f *File) Len() int { return len(f.contents.Items) }

// Digest returns the digest of the tar.
func (f *File) Digest(context.Context) (digest.Digest, error) { return f.contents.Digest, nil }

// Warnings tells where the file is not in the format of this package.
func (f *File) Warnings() []Warning {
	n := len(f.contents.Foreign)
	if n == 0 {
		return nil
	}
	text := "is not in this project's bundle format: " + f.contents.Foreign[0].Error()
	if n > 1 {
		text += fmt.Sprintf(" (and %d more)", n-1)
	}
	return []Warning{{Path: f.path, Text: text}}
}

// Open returns a reader of the tar. It fails with [ErrDigest] or [ErrChanged],
// before the last byte, where the file is not what it was when it was opened.
func (f *File) Open() (io.ReadCloser, error) {
	return newPump(&region{r: f.content, size: f.contents.Size}, f.contents.Size, f.contents.Digest, nil), nil
}

// region plans the reading of a tar that exists.
type region struct {
	r        io.ReaderAt
	size, at int64
}

func (g *region) next() (size int, fill func([]byte) error, inline bool, err error) {
	at := g.at
	size = int(min(pieceSize, g.size-at))
	g.at += int64(size)
	return size, func(buf []byte) error { return g.fill(buf, at) }, false, nil
}

// fill reads a piece, and looks after the last one whether it is the last.
func (g *region) fill(buf []byte, at int64) error {
	n, err := g.r.ReadAt(buf, at)
	if n < len(buf) && errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %d bytes of it are gone", ErrChanged, g.size-at-int64(n))
	}
	if n < len(buf) {
		return err
	}
	if at+int64(n) < g.size {
		return nil
	}
	var one [1]byte
	switch n, err := g.r.ReadAt(one[:], g.size); {
	case n > 0:
		return fmt.Errorf("%w: there is more of it than there was", ErrChanged)
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

func (g *region) Close() error { return nil }

// Close closes the file.
func (f *File) Close() error { return errors.Join(f.file.Close(), f.spool.Close()) }

package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/tempfile"
)

// OpenFile opens and verifies a tar, whoever made it. It first copies a pipe into a
// temporary file. The error is the context's cause, or holds [Problems] if the tar
// cannot be read or is not safe to send.
func OpenFile(ctx context.Context, path string) (*Bundle, error) {
	// Opening a named pipe waits for its writer.
	file, err := ctxio.Done(ctx, func() (*os.File, error) { return os.Open(path) })
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, Problems{{Path: path, Err: fmt.Errorf("open bundle: %w", reason(err))}}
	}
	b := &Bundle{path: path, closers: []io.Closer{file}}
	// Closing a pipe ends the wait for its writer.
	stop := context.AfterFunc(ctx, func() { _ = file.Close() })
	err = b.init(ctx, file)
	stop()
	if err != nil {
		_ = b.Close() // the reason is already an error
		return nil, ctxio.Cause(ctx, err)
	}
	return b, nil
}

// init verifies the tar in a file.
func (b *Bundle) init(ctx context.Context, file *os.File) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return Problems{{Path: b.path, Err: reason(err)}}
	case info.IsDir():
		return Problems{{Path: b.path, Err: errors.New("is a directory, not a bundle"), Hint: "bundles are made with {output}"}}
	case info.Mode().IsRegular():
		b.tar = file
	case info.Mode()&fs.ModeDevice != 0:
		return Problems{{Path: b.path, Err: errors.New("is a device, not a bundle")}}
	default:
		p := Problem{Path: b.path}
		if b.tar, p.Err = b.spool(ctxio.Reader(ctx, file)); spoolFailed(p.Err) {
			p.Hint = tempfile.Hint
		}
		if p.Err != nil {
			return Problems{p}
		}
		b.kept = true
	}
	v, err := verify(ctxio.Reader(ctx, io.NewSectionReader(b.tar, 0, math.MaxInt64)), nil)
	if err != nil {
		return Problems{{Path: b.path, Err: err}}
	}
	c := v.contents
	b.items, b.index, b.size, b.digest, b.commit = v.listed.items, &v.listed, c.Size, c.Digest, c.Commit
	if len(c.Unsafe) > 0 {
		return fmt.Errorf("%s is not safe to send: %w", printable(b.path), c.Unsafe)
	}
	if b.items.len() == 0 {
		return Problems{{Path: b.path, Err: fmt.Errorf("%w in it: it would leave the deployment without a file", ErrEmpty)}}
	}
	if n := v.strange; n > 0 {
		text := "is not in this project's bundle format: " + c.Foreign[0].Error()
		if n > 1 {
			text += fmt.Sprintf(" (and %d more)", n-1)
		}
		b.warnings = []Warning{{Path: b.path, Text: text}}
	}
	return nil
}

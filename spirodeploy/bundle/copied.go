package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/ctxio"
)

// Copied is a bundle in a temporary file, which nobody else can change: it can be
// sent to many servers at once, and is neither built nor hashed again for that.
// Close it after use.
type Copied struct {
	spool   spool
	content io.ReaderAt
	size    int64
	digest  digest.Digest
	offsets offsets
}

// Copy reads a [Bundle] or [File] into a temporary file. Its errors are those of
// the reader of that, the context's cause, and what the file system says.
func Copy(ctx context.Context, tar interface {
	Open() (io.ReadCloser, error)
	Digest(ctx context.Context) (digest.Digest, error)
},
) (*Copied, error) {
	in, err := tar.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	c := new(Copied)
	if c.size, c.content, err = c.spool.add(ctxio.Reader(ctx, in)); err == nil {
		c.digest, err = tar.Digest(ctx) // known, now that it has been read
	}
	if err == nil {
		c.offsets = offsets{r: c.content, size: c.size}
		return c, nil
	}
	_ = c.Close() // the reason is already an error
	if errors.Is(err, errSpool) {
		err = fmt.Errorf("%w (%s)", err, spoolHint)
	}
	return nil, ctxio.Cause(ctx, err)
}

// Size returns the size of the tar in bytes.
func (c *Copied) Size() int64 { return c.size }

// Digest returns the digest of the tar.
func (c *Copied) Digest(context.Context) (digest.Digest, error) { return c.digest, nil }

// Open returns a reader of the tar.
func (c *Copied) Open() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(c.content, 0, c.size)), nil
}

// Close removes the file. Readers fail then.
func (c *Copied) Close() error { return c.spool.Close() }

package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
)

// Bundle is a tar whose size and digest are known, such as package bundle makes.
type Bundle interface {
	Size() int64                                   // in bytes
	Open() (io.ReadCloser, error)                  // a new reader of exactly that many
	Digest(context.Context) (digest.Digest, error) // of them
	Commit() string                                // content of .gitcommit
}

// Push pushes a bundle under the tag of an address. It sends nothing that the registry
// has; a tag that leads to another bundle afterwards leads to this one. The error is
// an [*Error], or that of the bundle or the context.
func (c *Client) Push(ctx context.Context, addr Address, b Bundle, from Origin) (Result, error) {
	s, err := c.session(ctx, pushing, addr)
	if err != nil {
		return Result{}, err
	}
	if addr.Tag == "" || addr.Digest != "" {
		return Result{}, errors.New(s.op + ": the address needs a tag and no digest: the push tells the digest")
	}
	if b.Size() > maxBundle {
		return Result{}, errors.New(s.op + ": the bundle is too large: " + tooLarge(b.Size()))
	}
	annotations, err := from.annotations(b.Commit())
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", s.op, err)
	}
	sum, err := b.Digest(ctx)
	if err != nil {
		return Result{}, s.explain(ownError{err})
	}
	manifest, err := newManifest(sum, b.Size(), annotations)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", s.op, err)
	}
	desc := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: int64(len(manifest))}
	result := Result{Address: addr, Bundle: sum, Size: b.Size(), Annotations: annotations}
	result.Address.Digest = desc.Digest

	there := false
	err = s.retry(func() (err error) { there, err = s.tagged(desc.Digest); return err })
	switch {
	case err != nil:
		return Result{}, err
	case there:
		return result, nil
	}
	layer := ocispec.Descriptor{MediaType: LayerType, Digest: sum, Size: b.Size()}
	if result.Sent, err = s.put(layer, func() (io.ReadCloser, error) { return s.open(b) }); err != nil {
		return Result{}, err
	}
	config := ocispec.DescriptorEmptyJSON
	if _, err := s.put(config, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(config.Data)), nil }); err != nil {
		return Result{}, err
	}
	err = s.retry(func() error { return s.repo.Manifests().PushReference(ctx, desc, bytes.NewReader(manifest), addr.Tag) })
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// tagged reports whether the tag leads to a manifest already.
func (s *session) tagged(manifest digest.Digest) (bool, error) {
	found, err := s.repo.Manifests().Resolve(s.ctx, s.addr.Tag)
	if errors.Is(err, errdef.ErrNotFound) {
		return false, nil
	}
	if errors.Is(s.explain(err), ErrRefused) {
		return false, nil // it may not say what it has, and yet take this
	}
	return err == nil && found.Digest == manifest, err
}

// put sends a blob, and reports whether that had to be.
func (s *session) put(desc ocispec.Descriptor, open func() (io.ReadCloser, error)) (sent bool, err error) {
	err = s.retry(func() error {
		there, err := s.repo.Blobs().Exists(s.ctx, desc)
		if err != nil || there {
			return err
		}
		r, err := open()
		if err != nil {
			return err
		}
		defer r.Close() // where no request came to that
		sent = true
		return s.repo.Blobs().Push(s.ctx, desc, r)
	})
	return sent, err
}

// body is the bundle in a request.
type body struct {
	io.ReadCloser
	session *session
	bundle  Bundle
	read    int64
}

// open opens the bundle, also anew, for a request that has to be repeated.
func (s *session) open(b Bundle) (io.ReadCloser, error) {
	r, err := b.Open()
	if err != nil {
		return nil, ownError{err}
	}
	return &body{ReadCloser: r, session: s, bundle: b}, nil
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.read += int64(n); n > 0 {
		b.session.client.opts.Progress(b.read, b.bundle.Size())
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, fs.ErrClosed) {
		b.session.failed.Store(&err)
	}
	return n, err
}

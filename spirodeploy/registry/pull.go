package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/spirostack/spirodeploy/internal/tempfile"
)

const (
	// progress is how much has to come for attempts to be counted anew, in bytes.
	progress = 1 << 20
	// maxAnswer is how much is read of an answer that tells a failure, in bytes.
	maxAnswer = 64 << 10
)

// Resolve tells what is under an address, without the bundle. The error is an
// [*Error], or that of the context.
func (c *Client) Resolve(ctx context.Context, addr Address) (Result, error) {
	s, err := c.session(ctx, pulling, addr)
	if err != nil {
		return Result{}, err
	}
	return s.resolve()
}

// Pull writes the bundle under an address to w. An address with a digest gives that or
// nothing, whatever its tag leads to. The last byte comes only if all of them have the
// digest of the manifest: after an error, what was written is worth nothing. The error
// is an [*Error], or that of w or the context.
func (c *Client) Pull(ctx context.Context, addr Address, w io.Writer) (Result, error) {
	s, err := c.session(ctx, pulling, addr)
	if err != nil {
		return Result{}, err
	}
	found, err := s.resolve()
	if err != nil {
		return Result{}, err
	}
	sink := &sink{session: s, w: w, digester: digest.SHA256.Digester(), want: found.Bundle, size: found.Size}
	if err := s.retry(func() error { return s.pull(sink) }); err != nil {
		return Result{}, err
	}
	return found, nil
}

// File is a bundle in a temporary file, which only its owner may read.
type File struct {
	Result
	path string
}

// Path returns where the file is.
func (f *File) Path() string { return f.path }

// Close removes the file.
func (f *File) Close() error {
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// PullFile is Pull into a temporary file, for [bundle.OpenFile]. Close removes it.
//
// [bundle.OpenFile]: https://pkg.go.dev/github.com/spirostack/spirodeploy/spirodeploy/bundle#OpenFile
func (c *Client) PullFile(ctx context.Context, addr Address) (*File, error) {
	f, err := os.CreateTemp("", "spirodeploy-*.tar")
	if err != nil {
		return nil, noSpool(addr, err)
	}
	file := &File{path: f.Name()}
	file.Result, err = c.Pull(ctx, addr, f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = file.Close() // the reason is already an error
		if onDisk := (*fs.PathError)(nil); errors.As(err, &onDisk) && onDisk.Path == file.path {
			err = noSpool(addr, err)
		}
		return nil, err
	}
	return file, nil
}

func noSpool(addr Address, err error) error {
	return fmt.Errorf("pull %s: %w (%s)", addr, &tempfile.Error{Err: err}, tempfile.Hint)
}

// resolve gets and checks the manifest.
func (s *session) resolve() (found Result, err error) {
	err = s.retry(func() error { found, err = s.manifest(); return err })
	return found, err
}

func (s *session) manifest() (Result, error) {
	header := http.Header{"Accept": {
		ocispec.MediaTypeImageManifest,
		// What is no bundle is to be told as that.
		ocispec.MediaTypeImageIndex, "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
	}}
	resp, err := s.get("manifests/"+s.addr.reference(), header)
	if err != nil {
		return Result{}, err
	}
	defer resp.Body.Close()
	notBundle := func(why string) error {
		return &Error{Kind: ErrNotBundle, Problem: "there is no bundle under this address: " + why, Help: "check name and tag"}
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest+1))
	switch {
	case err != nil:
		return Result{}, err
	case len(data) > maxManifest:
		return Result{}, notBundle("its manifest has more than 1 MiB")
	}
	sum := digest.FromBytes(data)
	said := digest.Digest(resp.Header.Get("Docker-Content-Digest"))
	if s.addr.Digest != "" {
		said = s.addr.Digest
	}
	if said != "" && said != sum {
		return Result{}, &Error{
			Kind: ErrMismatch, Problem: fmt.Sprintf("the registry sends another manifest, of the digest %s, than that of %s", sum, quote(said.String())),
			Help: "try again; if it stays so, do not trust this registry, or what is on the way to it",
		}
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if strings.HasPrefix(kind, "application/vnd.") && kind != ocispec.MediaTypeImageManifest {
		return Result{}, notBundle("its type is " + quote(kind))
	}
	found, err := readManifest(data)
	if err != nil {
		return Result{}, notBundle(err.Error())
	}
	found.Address = s.addr
	found.Address.Digest = sum
	return found, nil
}

// pull gets the rest of a bundle, or as much as comes.
func (s *session) pull(to *sink) error {
	start := to.at
	defer func() {
		if to.at-start >= progress {
			s.tries = 0
		}
	}()
	header := http.Header{}
	if start > 0 {
		header.Set("Range", "bytes="+strconv.FormatInt(start, 10)+"-")
	}
	resp, err := s.get("blobs/"+to.want.String(), header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	at := start
	if resp.StatusCode == http.StatusOK { // all of it
		at = 0
	} else if !strings.HasPrefix(resp.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(start, 10)+"-") {
		return &Error{Kind: ErrRefused, Problem: "the registry sends another part of the bundle than it was asked for", Help: "a proxy on the way may have kept a wrong one"}
	}
	if length := resp.ContentLength; length >= 0 && length != to.size-at {
		return to.mismatch(fmt.Sprintf("has %d bytes, and not the %d that its manifest says", at+length, to.size))
	}
	if _, err := io.CopyN(io.Discard, resp.Body, start-at); err != nil {
		return err
	}
	_, err = io.Copy(to, io.LimitReader(resp.Body, to.size-start))
	if err == nil && to.at < to.size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// get asks the registry for something of the repository.
func (s *session) get(what string, header http.Header) (*http.Response, error) {
	ref := s.repo.Reference
	scheme := "https"
	if s.plain {
		scheme = "http"
	}
	ctx := auth.AppendRepositoryScope(s.ctx, ref, auth.ActionPull)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+ref.Host()+"/v2/"+ref.Repository+"/"+what, nil)
	if err != nil {
		return nil, err
	}
	req.Header = header
	resp, err := s.Do(req)
	if err != nil {
		return nil, err
	}
	partial := resp.StatusCode == http.StatusPartialContent && header.Get("Range") != ""
	if resp.StatusCode == http.StatusOK || partial {
		return resp, nil
	}
	defer resp.Body.Close()
	if at := resp.Request.URL.Host; at != ref.Host() {
		return nil, &Error{
			Kind: ErrUnreachable, StatusCode: resp.StatusCode, passing: true, // links to storage expire
			Problem: fmt.Sprintf("%s, to which the registry sends for it, answers %d %s", clipHost(at), resp.StatusCode, http.StatusText(resp.StatusCode)),
		}
	}
	answer := &errcode.ErrorResponse{Method: req.Method, URL: req.URL, StatusCode: resp.StatusCode}
	var said struct {
		Errors errcode.Errors `json:"errors"`
	}
	if json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&said) == nil {
		answer.Errors = said.Errors
	}
	return nil, answer
}

// sink takes what comes of a bundle, and writes its last bytes only if it is that.
type sink struct {
	session  *session
	w        io.Writer
	digester digest.Digester
	at, size int64
	want     digest.Digest
}

func (t *sink) Write(p []byte) (int, error) {
	t.digester.Hash().Write(p)
	t.at += int64(len(p))
	if t.at == t.size {
		if got := t.digester.Digest(); got != t.want {
			return 0, t.mismatch("has the digest " + got.String())
		}
	}
	if _, err := t.w.Write(p); err != nil {
		return 0, ownError{err}
	}
	t.session.client.opts.Progress(t.at, t.size)
	return len(p), nil
}

func (t *sink) mismatch(why string) error {
	return &Error{
		Kind: ErrMismatch, Problem: "what the registry sends for the bundle " + t.want.String() + " is not that: it " + why,
		Help: "try again; if it stays so, its storage is damaged, or something on the way changes it",
	}
}

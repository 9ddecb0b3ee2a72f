package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/peer"
)

// Bundle is a tar whose size is known, such as package bundle makes. Its readers
// may be closed while they are read.
type Bundle interface {
	Size() int64                  // in bytes
	Open() (io.ReadCloser, error) // a new reader of exactly that many
}

// Deployment is what to submit.
type Deployment struct {
	Project    string
	Deployment string
	Highstate  bool // apply the states to the minions concerned
	Bundle     Bundle
	// Progress is called, while the bundle is sent, with how many of the
	// request's bytes have been; default: nobody is told.
	Progress func(sent, total int64)
}

// Upload submits a deployment and returns the stream of its events, which the
// caller must close. It may be called once for one deployment: the bundle is
// sent straight from its reader, and never twice.
//
// The error is a [BundleError], [StatusError], [AnswerError] or
// [TransportError], or tells what is wrong with the deployment's names.
func (c *Client) Upload(ctx context.Context, d Deployment) (*Stream, error) {
	const op = "deploy"
	if err := errlist.Join(CheckName("project", d.Project), CheckName("deployment", d.Deployment)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx) // ends with the stream
	stream, touched, err := c.try(ctx, cancel, op, d, true)
	var refused *StatusError
	if errors.As(err, &refused) && refused.StatusCode == http.StatusExpectationFailed && !touched {
		// RFC 9110, section 10.1.1: something on the way does not know the
		// expectation. Nothing of the bundle has gone out.
		stream, _, err = c.try(ctx, cancel, op, d, false)
	}
	if err != nil {
		cancel(nil)
		return nil, err
	}
	stream.cancel = cancel
	return stream, nil
}

// try sends the deployment in a request of its own, and reports whether any of its
// body has been handed out.
func (c *Client) try(ctx context.Context, cancel context.CancelCauseFunc, op string, d Deployment, expect bool) (stream *Stream, touched bool, err error) {
	b, err := newBody(d)
	if err != nil {
		return nil, false, &BundleError{err}
	}
	b.patience, b.giveUp = c.answerTimeout, cancel
	stream, err = c.send(ctx, op, b, expect)
	return stream, b.touched(), err
}

// send sends the request with a body; with the expectation of "100 Continue", or
// without.
func (c *Client) send(ctx context.Context, op string, b *body, expect bool) (*Stream, error) {
	req, err := c.request(ctx, http.MethodPost)
	if err != nil {
		_ = b.Close()
		return nil, &TransportError{Op: op, Err: err}
	}
	req.Body, req.ContentLength = b, b.total
	req.Header.Set("Content-Type", b.contentType)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Cache-Control", "no-cache")
	if expect {
		req.Header.Set("Expect", "100-continue")
	}
	resp, err := c.roundTrip(req)
	if err != nil {
		sent, failed := b.seal()
		if failed != nil && ctx.Err() == nil {
			return nil, &BundleError{failed}
		}
		err = c.failure(ctx, err)
		if c.Plain() && b.total > PlainLimit && peer.IsCut(err) {
			err = fmt.Errorf("%w, as SpiroFS does with more than %s over plain HTTP, and this was %d bytes: use https", err, sizeText(PlainLimit), b.total)
		}
		return nil, &TransportError{Op: op, Err: err, BodySent: sent}
	}
	if err := c.streamProblem(op, resp, b); err != nil {
		_ = resp.Body.Close() // the reason is already an error
		var answer *AnswerError
		if ctx.Err() != nil && errors.As(err, &answer) { // the server may have given up since nobody waits any more
			sent, _ := b.seal()
			err = &TransportError{Op: op, Err: c.failure(ctx, ctx.Err()), BodySent: sent}
		}
		return nil, err
	}
	return &Stream{ctx: ctx, client: c, resp: resp}, nil
}

// streamProblem returns why an answer is no stream of events for this bundle, or
// nil. (Where a server answers before it has all of the body, net/http may send
// no more of it.)
func (c *Client) streamProblem(op string, resp *http.Response, b *body) error {
	if resp.StatusCode != http.StatusOK {
		sent, failed := b.seal()
		if failed != nil {
			return &BundleError{failed}
		}
		// What the page says is worth some waiting, and no more.
		enough := time.AfterFunc(c.connectTimeout, func() { b.giveUp(errors.New("the page never ended")) })
		defer enough.Stop()
		refused := c.statusError(op, resp, sent)
		if c.Plain() && b.total > PlainLimit && resp.StatusCode == http.StatusBadRequest {
			// Salt 3008 has a Tornado that answers.
			refused.Help = fmt.Sprintf("SpiroFS takes no more than %s over plain HTTP, and this was %s bytes: use https", sizeText(PlainLimit), human.Thousands(int(b.total)))
		}
		return refused
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // what cannot be parsed is another one
	var problem string
	switch {
	case mediaType != "text/event-stream":
		problem = fmt.Sprintf("the answer is no stream of events but %q: check the server URL", c.value(resp, "Content-Type"))
	case !slices.Contains([]string{"", "identity"}, strings.ToLower(resp.Header.Get("Content-Encoding"))):
		problem = fmt.Sprintf("the answer is encoded as %q, which was not asked for", c.value(resp, "Content-Encoding"))
	}
	sent, failed := b.seal()
	switch {
	case failed != nil:
		return &BundleError{failed}
	case problem == "" && sent:
		return nil
	case problem == "":
		problem = "the server answered before it had the whole bundle"
	}
	return &AnswerError{Op: op, Problem: problem, BodySent: sent}
}

// body is the request's body: what multipart/form-data (RFC 7578) puts before
// the bundle, the bundle, and what comes after it. Its size is known, nothing
// is buffered, and it knows whether all of it was handed out.
type body struct {
	contentType string
	total       int64
	progress    func(sent, total int64)
	patience    time.Duration           // how long nothing may be read
	giveUp      context.CancelCauseFunc // ends the request after that

	mu     sync.Mutex
	idle   *time.Timer
	r      io.Reader
	bundle io.Closer
	sent   int64
	failed error // of the bundle's reader
	sealed bool
}

func newBody(d Deployment) (*body, error) {
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	fields := [][2]string{{"project", d.Project}, {"deployment", d.Deployment}}
	if d.Highstate {
		// Any value means yes, "False" too: no is to leave it out.
		fields = append(fields, [2]string{"highstate", "true"})
	}
	for _, f := range fields {
		if err := form.WriteField(f[0], f[1]); err != nil {
			return nil, err
		}
	}
	if _, err := form.CreateFormFile("bundle", "bundle.tar"); err != nil {
		return nil, err
	}
	head := bytes.Clone(buf.Bytes())
	buf.Reset()
	if err := form.Close(); err != nil {
		return nil, err
	}
	tail := bytes.Clone(buf.Bytes())
	r, err := d.Bundle.Open()
	if err != nil {
		return nil, err
	}
	size := d.Bundle.Size()
	return &body{
		contentType: form.FormDataContentType(),
		total:       int64(len(head)) + size + int64(len(tail)),
		progress:    d.Progress,
		r:           io.MultiReader(bytes.NewReader(head), &exactly{r, size}, bytes.NewReader(tail)),
		bundle:      r,
	}, nil
}

// exactly fails where a bundle is not of the size that was announced: the
// request would be no valid one.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.left -= int64(n)
	switch {
	case e.left < 0:
		return 0, errors.New("the bundle is larger than it said")
	case errors.Is(err, io.EOF) && e.left > 0:
		return 0, fmt.Errorf("the bundle is %d bytes smaller than it said", e.left)
	}
	return n, err
}

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	b.hold()
	b.mu.Unlock()
	n, err := b.r.Read(p) // it may take its time: nobody else may have to wait for that
	sent, err := b.read(n, err)
	if n > 0 && err == nil && b.progress != nil {
		b.progress(sent, b.total)
	}
	if sent < 0 {
		return 0, err
	}
	return n, err
}

// read takes in what a Read has got, and returns how much has been handed out;
// a negative number if this must not be any more.
func (b *body) read(n int, err error) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sealed && b.sent < b.total {
		return -1, errors.New("the request has ended")
	}
	b.await()
	b.sent += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed = err
	}
	return b.sent, err
}

// await gives the server some time to take what it was handed, and after the
// last of it to answer.
func (b *body) await() {
	switch {
	case b.sealed, b.giveUp == nil:
	case b.idle == nil:
		b.idle = time.AfterFunc(b.patience, func() {
			b.giveUp(fmt.Errorf("the server has neither taken anything more nor answered for %s", b.patience))
		})
	default:
		b.idle.Reset(b.patience)
	}
}

// hold ends an await: it is not the server's time that passes.
func (b *body) hold() {
	if b.idle != nil {
		b.idle.Stop()
	}
}

// Close closes the bundle's reader, also while it is read.
func (b *body) Close() error { return b.bundle.Close() }

// touched reports whether anything has been handed out.
func (b *body) touched() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent > 0
}

// seal sees to it that nothing more is read. It reports whether all had been
// handed out (from then on the server may have it all), and what the bundle's
// reader failed with.
func (b *body) seal() (sent bool, failed error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	b.hold()
	return b.sent == b.total, b.failed
}

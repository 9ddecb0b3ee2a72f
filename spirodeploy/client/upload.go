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
	"sync"
	"time"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/peer"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// Bundle is a tar of known size, such as those of package bundle.
type Bundle interface {
	// Size returns the size in bytes.
	Size() int64
	// Open returns a new reader of exactly Size bytes. Another goroutine may close it
	// while it is read.
	Open() (io.ReadCloser, error)
}

// Deployment is what to submit.
type Deployment struct {
	Project    string
	Deployment string
	Highstate  bool // apply the states to the minions concerned
	Bundle     Bundle
	// Progress is called during the upload with how many bytes of the request are sent;
	// default: not called.
	Progress func(sent, total int64)
}

// Upload submits a deployment and returns the stream of its events. The caller must
// close the stream. Upload streams the bundle from its reader, and never sends it again
// after a failure.
//
// The error is a [BundleError], [StatusError], [AnswerError] or [TransportError], or
// the error of [CheckName] if a name is bad.
func (c *Client) Upload(ctx context.Context, d Deployment) (*Stream, error) {
	const op = "deploy"
	if err := errlist.Join(CheckName("project", d.Project), CheckName("deployment", d.Deployment)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx) // ends with the stream
	stream, touched, err := c.try(ctx, cancel, op, d, true)
	var refused *StatusError
	if errors.As(err, &refused) && refused.StatusCode == http.StatusExpectationFailed && !touched {
		// Something in between does not support the expectation (RFC 9110, section
		// 10.1.1). No part of the bundle was sent.
		stream, _, err = c.try(ctx, cancel, op, d, false)
	}
	if err != nil {
		cancel(nil)
		return nil, err
	}
	stream.cancel = cancel
	return stream, nil
}

// try sends the deployment in one request. It reports whether any byte of the body was
// read.
func (c *Client) try(ctx context.Context, cancel context.CancelCauseFunc, op string, d Deployment, expect bool) (stream *Stream, touched bool, err error) {
	b, err := newBody(d)
	if err != nil {
		return nil, false, &BundleError{err}
	}
	b.patience, b.giveUp = c.answerTimeout, cancel
	stream, err = c.send(ctx, op, b, expect)
	return stream, b.touched(), err
}

// send sends a request with a body. It asks for "100 Continue" if expect is true.
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
		return nil, &TransportError{Op: op, BodySent: sent, Err: c.failure(ctx, err, func(f *failure) {
			if c.Plain() && b.total > PlainLimit && peer.IsCut(err) {
				f.why, f.help = f.why+": SpiroFS does not take "+plainLimit(b.total), useTLS
			}
		})}
	}
	if err := c.streamProblem(op, resp, b); err != nil {
		_ = resp.Body.Close() // the reason is already an error
		var answer *AnswerError
		if ctx.Err() != nil && errors.As(err, &answer) { // the server may have given up because the client did
			sent, _ := b.seal()
			err = &TransportError{Op: op, Err: c.failure(ctx, ctx.Err()), BodySent: sent}
		}
		return nil, err
	}
	return &Stream{ctx: ctx, client: c, resp: resp, prefetches: true}, nil
}

// streamProblem returns an error unless the answer is a stream of events for the whole
// bundle. net/http may stop sending the body if the server answers early.
func (c *Client) streamProblem(op string, resp *http.Response, b *body) error {
	if resp.StatusCode != http.StatusOK {
		sent, failed := b.seal()
		if failed != nil {
			return &BundleError{failed}
		}
		// Wait some time for the error page, in case it is slow.
		enough := time.AfterFunc(c.connectTimeout, func() { b.giveUp(errors.New("the page never ended")) })
		defer enough.Stop()
		refused := c.statusError(op, resp, sent)
		if c.Plain() && b.total > PlainLimit && resp.StatusCode == http.StatusBadRequest {
			// The Tornado of Salt 3008 answers instead of cutting the connection.
			refused.Why, refused.Help = "SpiroFS does not take "+plainLimit(b.total), useTLS
		}
		return refused
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")) // a malformed type is a wrong one
	var problem string
	var help fault.Hint
	switch {
	case mediaType != "text/event-stream":
		problem, help = fmt.Sprintf("the answer is not a stream of events but %q", c.value(resp.Header.Get("Content-Type"))), "check the server URL"
	case isEncoded(resp):
		problem = c.encoded(resp)
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
	return &AnswerError{Op: op, Problem: problem, Help: help, BodySent: sent}
}

const useTLS fault.Hint = "use https"

// plainLimit says that a request is too large for plain HTTP.
func plainLimit(size int64) string {
	return fmt.Sprintf("more than %s over plain HTTP, and this was %s bytes", sizeText(PlainLimit), human.Thousands(int(size)))
}

// body is the body of the request: the bundle as multipart/form-data (RFC 7578). Its
// size is known before, it buffers nothing, and it knows how much of it was read.
type body struct {
	contentType string
	total       int64
	progress    func(sent, total int64)
	patience    time.Duration           // how long the server may do nothing
	giveUp      context.CancelCauseFunc // ends the request after that

	mu     sync.Mutex
	idle   *time.Timer
	r      io.Reader
	bundle io.Closer
	sent   int64
	failed error // of the bundle's reader
	sealed bool
}

// newBody opens the bundle and returns the body for a deployment.
func newBody(d Deployment) (*body, error) {
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	fields := [][2]string{{"project", d.Project}, {"deployment", d.Deployment}}
	if d.Highstate {
		// SpiroFS treats any value as yes, even "False", so the field is left out for no.
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

// exactly fails if the reader does not have the announced size, which would break the
// request.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.left -= int64(n)
	switch {
	case e.left < 0:
		return 0, errors.New("the bundle is larger than announced")
	case errors.Is(err, io.EOF) && e.left > 0:
		return 0, fmt.Errorf("the bundle is %d bytes smaller than announced", e.left)
	}
	return n, err
}

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	b.hold()
	b.mu.Unlock()
	n, err := b.r.Read(p) // without the lock, because it may be slow
	sent, err := b.read(n, err)
	if n > 0 && err == nil && b.progress != nil {
		b.progress(sent, b.total)
	}
	if sent < 0 {
		return 0, err
	}
	return n, err
}

// read records the result of a Read and returns how much was read in all, or -1 if the
// result must be dropped.
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

// await gives up after some time, unless the server reads on. After the last byte, it is
// the time to answer.
func (b *body) await() {
	switch {
	case b.sealed, b.giveUp == nil:
	case b.idle == nil:
		b.idle = time.AfterFunc(b.patience, func() {
			b.giveUp(fmt.Errorf("the server has neither read more of the request nor answered for %s", b.patience))
		})
	default:
		b.idle.Reset(b.patience)
	}
}

// hold stops the time of await, while the client is the one who is busy.
func (b *body) hold() {
	if b.idle != nil {
		b.idle.Stop()
	}
}

// Close closes the bundle's reader, even during a Read.
func (b *body) Close() error { return b.bundle.Close() }

// touched reports whether any byte was read.
func (b *body) touched() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sent > 0
}

// seal stops further reading. It reports whether the whole body was read, so that the
// server may have all of it, and returns the error of the bundle's reader.
func (b *body) seal() (sent bool, failed error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed = true
	b.hold()
	return b.sent == b.total, b.failed
}

// Package ctxio makes reading and writing end when a context does, for what has
// no context of its own.
package ctxio

import (
	"context"
	"errors"
	"io"
)

// Reader returns a reader of r that fails with the context's cause from when it
// has ended. A call that is under way is not cut short.
func Reader(ctx context.Context, r io.Reader) io.Reader { return &reader{ctx, r} }

// Context returns the context of what [Reader] has returned; of any other reader,
// one that does not end.
func Context(r io.Reader) context.Context {
	if u, ok := r.(*reader); ok {
		return u.ctx
	}
	return context.Background()
}

// Writer returns a writer to w that fails with the context's cause from when it
// has ended.
func Writer(ctx context.Context, w io.Writer) io.Writer { return &writer{ctx, w} }

// ErrInterrupted is the cause with which a front end ends the context of a run if the
// user interrupts it.
var ErrInterrupted = errors.New("interrupted")

// Cause returns an error, or in its place the context's cause, where that has
// ended: then that is why something failed. No error stays none.
func Cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return Reason(ctx)
	}
	return err
}

// Reason returns the cause with which a context has ended; where that is just
// Go's own for it, in words that people know.
func Reason(ctx context.Context) error {
	switch cause := context.Cause(ctx); cause {
	case context.Canceled: //nolint:errorlint // what wraps them has words of its own
		return &reason{ErrInterrupted.Error(), cause}
	case context.DeadlineExceeded:
		return &reason{"the time for it is up", cause}
	default:
		return cause
	}
}

type reason struct {
	text  string
	cause error
}

func (r *reason) Error() string { return r.text }

func (r *reason) Unwrap() error { return r.cause }

type reader struct {
	ctx context.Context
	r   io.Reader
}

func (u *reader) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, Reason(u.ctx)
	}
	return u.r.Read(p)
}

type writer struct {
	ctx context.Context
	w   io.Writer
}

func (u *writer) Write(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, Reason(u.ctx)
	}
	return u.w.Write(p)
}

// Done calls f, and returns what it returns; or the context's cause, when that
// ends first. f then goes on by itself: it must be one that waits for something
// outside, such as the writer of a pipe, and does no harm when it gets it.
func Done[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, Reason(ctx)
	}
}

// Package ctxio makes reading and writing end with a context, for readers and writers that
// have none.
package ctxio

import (
	"context"
	"errors"
	"io"

	"github.com/spirostack/spirodeploy/internal/retold"
)

// Reader returns a reader of r that fails with the context's cause once the context has
// ended. It does not interrupt a running call.
func Reader(ctx context.Context, r io.Reader) io.Reader { return &reader{ctx, r} }

// Context returns the context of a reader from [Reader]. For any other reader, it returns
// one that does not end.
func Context(r io.Reader) context.Context {
	if u, ok := r.(*reader); ok {
		return u.ctx
	}
	return context.Background()
}

// Writer returns a writer to w that fails with the context's cause once the context has
// ended.
func Writer(ctx context.Context, w io.Writer) io.Writer { return &writer{ctx, w} }

// ErrInterrupted is the cause with which a front end ends the context of a run if the
// user interrupts it.
var ErrInterrupted = errors.New("interrupted")

// Cause returns the context's cause in place of an error if the context has ended, for
// that is then why something failed. A nil error stays nil.
func Cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return Reason(ctx)
	}
	return err
}

// Reason returns the cause with which a context has ended. It puts Go's own causes into
// words that people know.
func Reason(ctx context.Context) error {
	switch cause := context.Cause(ctx); cause {
	case context.Canceled: //nolint:errorlint // what wraps them has words of its own
		return retold.New(ErrInterrupted.Error(), cause)
	case context.DeadlineExceeded:
		return retold.New("the time for it is up", cause)
	default:
		return cause
	}
}

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

// Done calls f and returns its results, or the context's cause if the context ends first.
// Then f goes on by itself, so it must do no harm later: it waits for something outside,
// such as the writer of a pipe.
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

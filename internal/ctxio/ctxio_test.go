package ctxio_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/ctxio"
)

func TestUntil(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var out bytes.Buffer
	r, w := ctxio.Reader(ctx, strings.NewReader("abcdef")), ctxio.Writer(ctx, &out)
	p := make([]byte, 3)
	if n, err := r.Read(p); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := w.Write(p); err != nil || out.String() != "abc" {
		t.Errorf("%q, %v", &out, err)
	}
	if v, err := ctxio.Done(ctx, func() (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
	reason, never := errors.New("over"), make(chan int)
	failure := errors.New("failure")
	if err := ctxio.Cause(ctx, failure); !errors.Is(err, failure) {
		t.Error(err)
	}
	defer close(never)
	cancel(reason)
	if err := ctxio.Cause(ctx, failure); !errors.Is(err, reason) {
		t.Error(err)
	}
	if err := ctxio.Cause(ctx, nil); err != nil {
		t.Error(err)
	}
	if _, err := r.Read(p); !errors.Is(err, reason) {
		t.Error(err)
	}
	if _, err := w.Write(p); !errors.Is(err, reason) {
		t.Error(err)
	}
	if _, err := ctxio.Done(ctx, func() (int, error) { return <-never, nil }); !errors.Is(err, reason) {
		t.Error(err)
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	own := errors.New("the build was superseded")
	for want, cause := range map[string]error{"interrupted": nil, "the build was superseded": own} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		if err := ctxio.Reason(ctx); err.Error() != want || !errors.Is(err, context.Cause(ctx)) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if err := ctxio.Reason(ctx); err.Error() != "the time for it is up" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v after a deadline", err)
	}
}

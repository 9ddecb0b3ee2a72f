package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const finish = "event: highstate-finish\ndata: {}\n\n"

// largeUpdate returns the event of a minion that is worth a prefetch.
func largeUpdate(minion string) string {
	return fmt.Sprintf("event: highstate-update\ndata: {\"minion\": %q, \"result\": {\"ret\": [%q]}}\n\n", minion, strings.Repeat("x", minPrefetch))
}

// piped returns a stream, as Upload returns it, and what to write its events to.
func piped(t *testing.T, c *Client) (*Stream, *io.PipeWriter) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { _ = r.CloseWithError(context.Cause(ctx)) })
	c.maxEvent = DefaultMaxEvent
	return &Stream{ctx: ctx, cancel: cancel, client: c, resp: &http.Response{Body: r}, prefetches: true}, w
}

// say writes to a stream.
func say(t *testing.T, w io.Writer, text string) {
	t.Helper()
	if _, err := io.WriteString(w, text); err != nil {
		t.Error(err)
	}
}

// TestPrefetch: while the caller handles a large result, the client reads the next event. It
// does not for a small one.
func TestPrefetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, w := piped(t, &Client{grace: time.Minute})
		go func() {
			say(t, w, largeUpdate("web1"))
			say(t, w, largeUpdate("web2")+"event: note\ndata: {}\n\n")
			say(t, w, finish)
			_ = w.Close()
		}()
		began := time.Now()
		var arrived []time.Duration
		for e, err := range s.Events() {
			if err != nil {
				t.Fatal(err)
			}
			arrived = append(arrived, e.Time.Sub(began))
			time.Sleep(time.Second)
		}
		// The note is read while web2 is handled, and finish once it is asked for.
		want := []time.Duration{0, 0, time.Second, 3 * time.Second}
		if !slices.Equal(arrived, want) {
			t.Errorf("events arrived after %v, want %v", arrived, want)
		}
	})
}

// TestSilenceCountsWaiting: time counts as silence only while the caller waits for an event,
// also if the client reads that in the background.
func TestSilenceCountsWaiting(t *testing.T) {
	t.Parallel()
	const limit = time.Minute
	for name, tt := range map[string]struct {
		server, caller time.Duration // how long they take after the result
		silent         bool
	}{
		"a slow caller":                {0, 10 * limit, false},
		"both are slow":                {limit + limit/2, limit, false},
		"a slow server":                {limit + limit/2, limit / 4, true},
		"a server not slow enough":     {limit - 1, 0, false},
		"a server that says no more":   {100 * limit, limit, true},
		"a server as slow as a caller": {3 * limit, 3 * limit, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, w := piped(t, &Client{quiet: limit, grace: time.Second})
				var server sync.WaitGroup
				server.Go(func() {
					defer w.Close()
					say(t, w, largeUpdate("web1"))
					time.Sleep(tt.server)
					_, _ = io.WriteString(w, finish)
				})
				var failed error
				for e, err := range s.Events() {
					if failed = err; e.Minion != "" {
						time.Sleep(tt.caller)
					}
				}
				var broken *StreamError
				if errors.As(failed, &broken) != tt.silent {
					t.Errorf("the stream ends with %v", failed)
				}
				s.cancel(nil)
				server.Wait()
			})
		})
	}
}

// TestEndIsNotSilent: after the last event the server may be silent, until the client has
// waited long enough for the end.
func TestEndIsNotSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const grace = time.Hour
		s, w := piped(t, &Client{quiet: time.Minute, grace: grace})
		go say(t, w, largeUpdate("web1")+finish)
		began, seen := time.Now(), 0
		for _, err := range s.Events() {
			if seen++; err != nil {
				t.Error(err)
			}
		}
		if seen != 2 || time.Since(began) != grace {
			t.Errorf("%d events, the end after %v", seen, time.Since(began))
		}
	})
}

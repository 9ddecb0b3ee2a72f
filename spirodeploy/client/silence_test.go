package client_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// TestSilence checks that the client gives up if the server goes away and the connection stays.
func TestSilence(t *testing.T) {
	t.Parallel()
	for name, said := range map[string]string{
		"before the first event": "",
		"between two events":     "event: highstate-start\ndata: {\"msg\": \"m\", \"minions\": [\"web1\"]}\n\n",
		"in an event":            "event: deploy-bundle\ndata: {\"ms",
		"after a large result":   largeResult("web1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _ := streaming(t, said)
			c := newClient(t, url, "token", func(o *client.Options) { o.Silence = 100 * time.Millisecond })
			stream, err := c.Upload(t.Context(), shop(tar))
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			_, err = events(t, stream)
			var broken *client.StreamError
			if !errors.As(err, &broken) || broken.Malformed {
				t.Fatalf("a stream that falls silent ends with %v", err)
			}
			for _, words := range []string{"the server has sent nothing for", "salt-run jobs.active", "the deployment may be going on"} {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("the error does not say %q: %v", words, err)
				}
			}
		})
	}
}

// TestSilenceIsNotWork checks that neither a slow stream nor a slow reader of the events
// counts as silence.
func TestSilenceIsNotWork(t *testing.T) {
	t.Parallel()
	limit := pace.Soon()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "event: deploy-bundle\ndata: {}\n\nevent: later\ndata: {}\n\n")
	}))
	defer server.Close()
	c := newClient(t, server.URL, "token", func(o *client.Options) { o.Silence = limit })
	stream, err := c.Upload(t.Context(), shop(tar))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	seen := 0
	for _, err := range stream.Events() {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 1 {
			time.Sleep(limit + limit/2)
		}
	}
	if seen != 2 {
		t.Errorf("%d events", seen)
	}
}

// TestAddressLeadsNowhere checks that the error for a cut connection names the address
// that it went to.
func TestAddressLeadsNowhere(t *testing.T) {
	t.Parallel()
	tunnel, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tunnel.Close()
	go func() {
		for {
			conn, err := tunnel.Accept()
			if err != nil {
				return
			}
			_ = conn.Close() // nothing listens behind it
		}
	}()
	for _, scheme := range []string{"http", "https"} {
		c := newClient(t, scheme+"://salt:4510/", "token", func(o *client.Options) {
			o.Address, o.Insecure = tunnel.Addr().String(), scheme == "http"
		})
		err = c.Check(t.Context())
		if want := fmt.Sprintf("connections go to %s instead of the server's host", tunnel.Addr()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", scheme, err, want)
		}
	}
}

package client_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// serveRaw serves each connection with a function, over TLS if config is not nil.
func serveRaw(t *testing.T, config *tls.Config, serve func(raw, conn net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			conn := raw
			if config != nil {
				conn = tls.Server(raw, config)
			}
			serve(raw, conn)
			_ = raw.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	if config != nil {
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}

// testTLS returns the configuration of a server with a certificate for tests.
func testTLS(t *testing.T) *tls.Config {
	t.Helper()
	donor := httptest.NewTLSServer(http.NotFoundHandler())
	defer donor.Close()
	return &tls.Config{Certificates: donor.TLS.Certificates}
}

// readRequest reads a request with its body.
func readRequest(conn net.Conn) (*http.Request, error) {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return nil, err
	}
	if req.Header.Get("Expect") != "" {
		_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	_, err = io.Copy(io.Discard, req.Body)
	return req, err
}

func follow(t *testing.T, url string, d client.Deployment) (events []string, err error) {
	t.Helper()
	c := newClient(t, url, "a-token-of-some-length", func(o *client.Options) { o.Insecure = true })
	stream, err := c.Upload(t.Context(), d)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	for e, err := range stream.Events() {
		if err != nil {
			return events, err
		}
		events = append(events, e.Name)
	}
	return events, nil
}

// TestCloseNotify checks that an answer that ends with its connection is whole over TLS
// only if there is a close_notify. Anybody in between can end a connection.
func TestCloseNotify(t *testing.T) {
	t.Parallel()
	config := testTLS(t)
	const deployed = "event: deploy-bundle\ndata: {}\n\n"
	for name, tt := range map[string]struct {
		head, body string
		notify     bool
		cut        bool
	}{
		"close-delimited, with close_notify":    {"HTTP/1.1 200 OK\r\n", deployed, true, false},
		"close-delimited, without close_notify": {"HTTP/1.1 200 OK\r\n", deployed, false, true},
		"HTTP/1.0, without close_notify":        {"HTTP/1.0 200 OK\r\n", deployed, false, true},
		"chunked, without close_notify":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "1f\r\n" + deployed + "\r\n0\r\n\r\n", false, false},
		"of a length, without close_notify":     {"HTTP/1.1 200 OK\r\nContent-Length: 31\r\n", deployed, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serveRaw(t, config, func(_, conn net.Conn) {
				if _, err := readRequest(conn); err != nil {
					t.Error(err)
				}
				_, _ = io.WriteString(conn, tt.head+"Content-Type: text/event-stream\r\n\r\n"+tt.body)
				if tt.notify {
					_ = conn.Close()
				}
			})
			events, err := follow(t, url, shop(tar))
			var broken *client.StreamError
			if len(events) != 1 || errors.As(err, &broken) != tt.cut {
				t.Errorf("events %q, %v", events, err)
			}
			if tt.cut && (broken == nil || broken.Malformed || !strings.Contains(err.Error(), "was cut")) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestGrace checks that a stream ends some time after its last event, even if the server
// keeps the connection open or goes on sending.
func TestGrace(t *testing.T) {
	t.Parallel()
	for _, last := range []string{client.HighstateFinish, client.Exception} {
		t.Run(last, func(t *testing.T) {
			t.Parallel()
			url := serveRaw(t, nil, func(_, conn net.Conn) {
				if _, err := readRequest(conn); err != nil {
					t.Error(err)
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
				_, err := io.WriteString(conn, "event: "+last+"\ndata: {}\n\nevent: later\ndata: {}\n\n")
				for err == nil { // until the client goes away
					_, err = io.WriteString(conn, strings.Repeat(": still here\n", 1000))
				}
			})
			if events, err := follow(t, url, shop(tar)); err != nil || strings.Join(events, " ") != last+" later" {
				t.Errorf("events %q, %v", events, err)
			}
		})
	}
}

// TestExpectationFailed checks that the client sends the request once more after a 417,
// without the expectation (RFC 9110, section 10.1.1).
func TestExpectationFailed(t *testing.T) {
	t.Parallel()
	for name, always := range map[string]bool{"once": false, "always": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			url := serveRaw(t, nil, func(_, conn net.Conn) {
				requests.Add(1)
				req, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					t.Error(err)
					return
				}
				if always || req.Header.Get("Expect") != "" {
					_, _ = io.WriteString(conn, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
					return
				}
				if body, err := io.ReadAll(req.Body); err != nil || !strings.Contains(string(body), string(tar)) {
					t.Errorf("the body has %d bytes, %v", len(body), err)
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n")
			})
			_, err := follow(t, url, shop(tar))
			var status *client.StatusError
			if errors.As(err, &status) != always || requests.Load() != 2 {
				t.Errorf("%d requests, %v", requests.Load(), err)
			}
		})
	}
}

// TestRefusedAndReset checks that the client reports a refusal that arrives during the
// upload, even if the server then resets the connection.
func TestRefusedAndReset(t *testing.T) {
	t.Parallel()
	large := content(strings.Repeat("x", 8<<20))
	for _, status := range []string{"401 Unauthorized", "403 Forbidden", "413 Content Too Large"} {
		for name, config := range map[string]*tls.Config{"plain": nil, "TLS": testTLS(t)} {
			t.Run(status+", "+name, func(t *testing.T) {
				t.Parallel()
				url := serveRaw(t, config, func(raw, conn net.Conn) {
					if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
						t.Error(err)
						return
					}
					_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
					_, _ = io.ReadFull(conn, make([]byte, 100<<10))
					_, _ = io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 4\r\n\r\nsays")
					_ = raw.(*net.TCPConn).SetLinger(0) // closing it is a reset
				})
				for range 20 {
					_, err := follow(t, url, shop(large))
					var told *client.StatusError
					if !errors.As(err, &told) || !strings.HasPrefix(status, http.StatusText(told.StatusCode)) && !strings.Contains(err.Error(), status[:3]) {
						t.Fatalf("error %v", err)
					}
				}
			})
		}
	}
}

// TestSeeOther checks that the bundle may have been deployed after a 303: the server
// sends it after it did what it was asked to do.
func TestSeeOther(t *testing.T) {
	t.Parallel()
	for status, maybe := range map[string]bool{"303 See Other": true, "302 Found": false, "307 Temporary Redirect": false} {
		url := serveRaw(t, nil, func(_, conn net.Conn) {
			if _, err := readRequest(conn); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 "+status+"\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
		})
		_, err := follow(t, url, shop(tar))
		var told *client.StatusError
		if !errors.As(err, &told) || !told.BodySent || strings.Contains(err.Error(), "may have been deployed") != maybe {
			t.Errorf("%s: %v", status, err)
		}
	}
}

// TestConnections checks that each request uses a new connection, and says so.
func TestConnections(t *testing.T) {
	t.Parallel()
	var connections, requests atomic.Int32
	url := serveRaw(t, nil, func(_, conn net.Conn) {
		connections.Add(1)
		for in := bufio.NewReader(conn); ; {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			requests.Add(1)
			if !req.Close {
				t.Error("a request does not say that it is the last of its connection")
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nAuth OK")
		}
	})
	c := newClient(t, url, "a-token-of-some-length")
	for range 3 {
		if err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if connections.Load() != 3 || requests.Load() != 3 {
		t.Errorf("%d requests on %d connections", requests.Load(), connections.Load())
	}
}

// TestEndlessPage checks that the client neither reads all of an endless error page nor
// waits for a slow one.
func TestEndlessPage(t *testing.T) {
	t.Parallel()
	for name, part := range map[string]string{"fast": strings.Repeat("x", 64<<10), "silent": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serveRaw(t, nil, func(_, conn net.Conn) {
				if _, err := readRequest(conn); err != nil {
					return
				}
				_, err := io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\n\r\nno, ")
				for err == nil && part != "" {
					_, err = io.WriteString(conn, part)
				}
				_, _ = io.Copy(io.Discard, conn) // until the client goes away
			})
			c := newClient(t, url, "a-token-of-some-length", func(o *client.Options) { o.ConnectTimeout = pace.Soon() })
			_, err := c.Upload(t.Context(), shop(tar))
			var told *client.StatusError
			if !errors.As(err, &told) || told.StatusCode != http.StatusForbidden || !strings.HasPrefix(told.Message, "no,") || len(told.Message) > 1000 {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestPlainLimit checks that the error names the limit if a large bundle gets a 400 over plain HTTP.
func TestPlainLimit(t *testing.T) {
	t.Parallel()
	url := serveRaw(t, nil, func(_, conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	})
	_, err := follow(t, url, shop(source{101 << 20, strings.NewReader("")}))
	if err == nil || !strings.Contains(err.Error(), "not take more than 100 MiB over plain HTTP") || !strings.Contains(err.Error(), "use https") {
		t.Errorf("error %v", err)
	}
}

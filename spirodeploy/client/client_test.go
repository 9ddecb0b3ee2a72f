package client_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// tar is an empty archive: two blocks of zeros.
var tar = content(make([]byte, 1024))

// content is a bundle in memory.
type content []byte

func (c content) Size() int64 { return int64(len(c)) }

func (c content) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c)), nil }

// source is a bundle that claims a size and yields what r does.
type source struct {
	size int64
	r    io.Reader
}

func (s source) Size() int64 { return s.size }

func (s source) Open() (io.ReadCloser, error) { return io.NopCloser(s.r), nil }

func tok(t *testing.T, s string) token.Token {
	t.Helper()
	tok, err := token.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// newClient returns a client for a server with plain HTTP.
func newClient(t *testing.T, url, secret string, change ...func(*client.Options)) *client.Client {
	t.Helper()
	opts := client.Options{Server: url, Token: tok(t, secret), Insecure: strings.HasPrefix(url, "http:")}
	for _, f := range change {
		f(&opts)
	}
	c, err := client.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func shop(b client.Bundle) client.Deployment {
	return client.Deployment{Project: "shop", Deployment: "prod", Highstate: true, Bundle: b}
}

// events reads a stream to its end and returns the names of the events.
func events(t *testing.T, s *client.Stream) (names []string, err error) {
	t.Helper()
	defer s.Close()
	for e, err := range s.Events() {
		if err != nil {
			return names, err
		}
		names = append(names, e.Name)
	}
	return names, nil
}

func TestUpload(t *testing.T) {
	t.Parallel()
	for _, highstate := range []bool{true, false} {
		server := spirotest.New(t, spirotest.Options{})
		c := newClient(t, server.URL(), server.Token(time.Minute, "shop"))
		if err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		d := shop(tar)
		d.Highstate = highstate
		var sent, total int64
		d.Progress = func(s, t int64) { sent, total = s, t }
		stream, err := c.Upload(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		names, err := events(t, stream)
		want, value := "deploy-bundle", ""
		if highstate {
			want, value = "deploy-bundle highstate-calc highstate-start highstate-finish", "true"
		}
		if got := strings.Join(names, " "); got != want || err != nil {
			t.Errorf("events %s, %v; want %s", got, err, want)
		}
		requests := server.Requests()
		if len(requests) != 2 {
			t.Fatalf("%d requests, want 2", len(requests))
		}
		post := requests[1]
		if post.Method != "POST" || post.Project != "shop" || post.Deployment != "prod" || post.Highstate != value || post.BundleSize != 1024 {
			t.Errorf("the server got %s %s/%s, highstate %q, %d bytes", post.Method, post.Project, post.Deployment, post.Highstate, post.BundleSize)
		}
		for key, want := range map[string]string{"Expect": "100-continue", "Transfer-Encoding": "", "Accept-Encoding": "", "Accept": "text/event-stream"} {
			if got := post.Header.Get(key); got != want {
				t.Errorf("header %s is %q, want %q", key, got, want)
			}
		}
		if sent != total || total <= 1024 {
			t.Errorf("progress ended at %d of %d", sent, total)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	for _, tt := range []struct {
		name, secret string
		bundle       client.Bundle
		status       int
		sent         bool
		says         string
	}{
		{"no token of this server", "bogus", tar, 401, true, "not valid here"},
		{"expired", server.Token(-time.Hour, "shop"), tar, 401, true, "401 Unauthorized: the token has expired, on "},
		{"expired just now", server.Token(-time.Minute, "shop"), tar, 401, true, " ago: get another one"},
		{"still valid, of another server", spirotest.New(t, spirotest.Options{}).Token(time.Hour, "shop"), tar, 401, true, "issued by another server"},
		{"another project", server.Token(time.Hour, "blog"), tar, 403, true, "not for this project"},
		{"not a tar", server.Token(time.Hour, "shop"), content("no tar at all"), 400, true, "did not understand"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, server.URL(), tt.secret).Upload(t.Context(), shop(tt.bundle))
			var status *client.StatusError
			if !errors.As(err, &status) || status.StatusCode != tt.status || status.BodySent != tt.sent || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v: want a StatusError %d that says %q", err, tt.status, tt.says)
			}
			if tt.status == http.StatusUnauthorized {
				err := newClient(t, server.URL(), tt.secret).Check(t.Context())
				if !errors.As(err, &status) || status.StatusCode != 401 || status.BodySent {
					t.Errorf("Check: %v, want a StatusError 401 without a body", err)
				}
			}
		})
	}
}

// TestAnswers answers the client with what no SpiroFS server says.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const secret = "a-token-that-must-not-be-seen-1a2b3c4d5e6f7g8h9i"
	for _, tt := range []struct {
		name          string
		answer        http.HandlerFunc
		check, upload string // parts of the errors of Check and Upload
	}{
		{
			"another site", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				_, _ = io.WriteString(w, "<html><head><title>Welcome</title></head><body>Hello</body></html>")
			},
			`not SpiroFS's "Auth OK" but "Welcome"`, `not a stream of events but "text/html"`,
		},
		{
			"compressed", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				w.Header().Set("Content-Encoding", "gzip")
			},
			`check token: the answer is encoded as "gzip", unasked; nothing`, `encoded as "gzip"`,
		},
		{
			"compressed refusal", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, "\x1f\x8b\b\x00")
			},
			"403 Forbidden: the token", "403 Forbidden: the token",
		},
		{
			"HTML", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, "<title>Blocked &amp; logged: &#x22;"+strings.ReplaceAll(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "-", "&#45;")+"&quot;</title>")
			},
			`(Blocked & logged: "[redacted]`, `(Blocked & logged: "[redacted]`,
		},
		{
			"a status without a name", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(520) },
			"the server answered 520; nothing", "the server answered 520; the whole",
		},
		{
			"a page elsewhere, and no redirect", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/login")
				w.WriteHeader(http.StatusTeapot)
				_, _ = io.WriteString(w, "short and stout")
			},
			"418 I'm a teapot (short and stout); nothing", "418 I'm a teapot (short and stout); the whole",
		},
		{
			"repeats the token", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				auth := r.Header.Get("Authorization")
				_, _ = io.WriteString(w, auth[:20]+"<br/>"+auth[20:]+" ")
				_, _ = io.WriteString(w, auth+" "+base64.StdEncoding.EncodeToString([]byte(strings.TrimPrefix(auth, "Bearer "))))
			},
			"[redacted] Bearer [redacted] [redacted]", "[redacted] Bearer [redacted] [redacted]",
		},
		{
			"escape codes", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, "\x1b[2Jgone")
			},
			`\x1b[2Jgone`, `\x1b[2Jgone`,
		},
		{
			"proxy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
			"502 Bad Gateway: a proxy in between", "502 Bad Gateway: a proxy in between",
		},
		{
			"long page", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusNotFound)
				_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
			},
			"404 Not Found", "there is no SpiroFS at this URL",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				tt.answer(w, r)
			}))
			defer server.Close()
			c := newClient(t, server.URL, secret)
			check := c.Check(t.Context())
			_, upload := c.Upload(t.Context(), shop(tar))
			for want, err := range map[string]error{tt.check: check, tt.upload: upload} {
				switch {
				case err == nil || !strings.Contains(err.Error(), want):
					t.Errorf("%v: want %q", err, want)
				case strings.Contains(err.Error(), secret[:16]), strings.Contains(err.Error(), secret[len(secret)-16:]):
					t.Errorf("%v has the token in it", err)
				case len(err.Error()) > 600:
					t.Errorf("an error of %d bytes", len(err.Error()))
				}
			}
			want := "may have been deployed anyway" // but not after a 404
			if tt.name == "long page" {
				want = "nothing was deployed"
			}
			if !strings.Contains(upload.Error(), want) {
				t.Errorf("%v does not say %q", upload, want)
			}
		})
	}
}

// TestEarly200 has a server answer before it has the bundle: nothing was deployed.
func TestEarly200(t *testing.T) {
	t.Parallel()
	url, _ := raw(t, func(c net.Conn, r *bufio.Reader) {
		for line := ""; line != "\r\n"; {
			line, _ = r.ReadString('\n')
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: deploy-bundle\ndata: {}\n\n")
	})
	_, err := newClient(t, url, "secret-token").Upload(t.Context(), shop(content(make([]byte, 8<<20))))
	var answer *client.AnswerError
	if !errors.As(err, &answer) || answer.BodySent || !strings.Contains(err.Error(), "before it had the whole bundle; nothing was deployed") {
		t.Errorf("%v, want an AnswerError", err)
	}
}

// TestRedirect checks that neither the token nor the bundle follows a redirect.
func TestRedirect(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(other.URL+"/there", code))
		c := newClient(t, server.URL, "secret-token")
		_, upload := c.Upload(t.Context(), shop(tar))
		for _, err := range []error{c.Check(t.Context()), upload} {
			var status *client.StatusError
			if !errors.As(err, &status) || status.StatusCode != code || status.Location != other.URL+"/there" || !strings.Contains(err.Error(), other.URL+"/there") {
				t.Errorf("%d: %v, want a StatusError that names the new URL", code, err)
			}
		}
		server.Close()
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

// TestRelativeRedirect checks that an error names a URL that can be the server URL.
func TestRelativeRedirect(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"/deploy": "http://HOST/deploy", "deploy/?a=b": "http://HOST/deploy/?a=b", "//other.example/": "http://other.example/",
		"https://other.example": "https://other.example", "http://[::1": "http://[::1", "?t=secret-token": "http://HOST/?t=[redacted]",
	} {
		url := serveRaw(t, nil, func(_, conn net.Conn) {
			_, _ = readRequest(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 302 Found\r\nLocation: "+to+"\r\nContent-Length: 0\r\n\r\n")
		})
		err := newClient(t, url, "secret-token").Check(t.Context())
		want = strings.ReplaceAll(want, "HOST", strings.TrimPrefix(url, "http://"))
		if status, ok := errors.AsType[*client.StatusError](err); !ok || status.Location != want {
			t.Errorf("%s: %v does not name %s", to, err, want)
		}
	}
}

// raw is a server that passes each connection to handle and counts requests.
func raw(t *testing.T, handle func(net.Conn, *bufio.Reader)) (url string, connections *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			handle(conn, bufio.NewReader(conn))
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "http://" + l.Addr().String() + "/", connections
}

// readHead reads a request's head and asks for its body.
func readHead(conn net.Conn, r *bufio.Reader) (length int64) {
	for {
		line, err := r.ReadString('\n')
		if err != nil || line == "\r\n" {
			_, _ = io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n")
			return length
		}
		_, _ = fmt.Sscanf(line, "Content-Length: %d", &length)
	}
}

// TestBroken breaks connections at every point. The client never repeats a request, and
// says whether the bundle may have been deployed.
func TestBroken(t *testing.T) {
	t.Parallel()
	big := content(make([]byte, 64<<20)) // more than the buffers of both sides hold
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, tt := range []struct {
		name   string
		handle func(net.Conn, *bufio.Reader)
		sent   bool
		stream bool // the error comes from the stream
	}{
		{name: "before the request", handle: func(net.Conn, *bufio.Reader) {}},
		{name: "in the body", handle: func(c net.Conn, r *bufio.Reader) {
			n := readHead(c, r)
			_, _ = io.CopyN(io.Discard, r, n/4)
		}},
		{name: "after the body", sent: true, handle: func(c net.Conn, r *bufio.Reader) {
			_, _ = io.CopyN(io.Discard, r, readHead(c, r))
		}},
		{name: "in the headers", sent: true, handle: func(c net.Conn, r *bufio.Reader) {
			_, _ = io.CopyN(io.Discard, r, readHead(c, r))
			_, _ = io.WriteString(c, head[:30])
		}},
		{name: "in an event", stream: true, handle: func(c net.Conn, r *bufio.Reader) {
			_, _ = io.CopyN(io.Discard, r, readHead(c, r))
			_, _ = io.WriteString(c, head+"ff\r\nevent: deploy-")
		}},
		{name: "between events", stream: true, handle: func(c net.Conn, r *bufio.Reader) {
			_, _ = io.CopyN(io.Discard, r, readHead(c, r))
			event := "event: deploy-bundle\ndata: {\"msg\": \"x\"}\n\n"
			_, _ = fmt.Fprintf(c, "%s%x\r\n%s\r\n", head, len(event), event)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, connections := raw(t, tt.handle)
			stream, err := newClient(t, url, "secret-token").Upload(t.Context(), shop(big))
			if tt.stream {
				if err != nil {
					t.Fatal(err)
				}
				_, err = events(t, stream)
				var broken *client.StreamError
				if !errors.As(err, &broken) || !strings.Contains(err.Error(), "may be going on") {
					t.Errorf("%v, want a StreamError", err)
				}
			} else {
				var transport *client.TransportError
				says := map[bool]string{true: "may have been deployed", false: "nothing was deployed"}[tt.sent]
				if !errors.As(err, &transport) || transport.BodySent != tt.sent || !strings.Contains(err.Error(), says) {
					t.Errorf("%v, want a TransportError that says %q", err, says)
				}
			}
			if n := connections.Load(); n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
		})
	}
}

func TestBundleFails(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	c := newClient(t, server.URL(), server.Token(0))
	cause := errors.New("the disk is on fire")
	for name, b := range map[string]client.Bundle{
		"fails":  source{4 << 20, io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), &failing{cause})},
		"short":  source{4 << 20, bytes.NewReader(make([]byte, 1<<20))},
		"longer": source{1 << 20, bytes.NewReader(make([]byte, 4<<20))},
	} {
		_, err := c.Upload(t.Context(), shop(b))
		var broken *client.BundleError
		if !errors.As(err, &broken) || !strings.Contains(err.Error(), "nothing was deployed") {
			t.Errorf("%s: %v, want a BundleError", name, err)
		}
		if name == "fails" && !errors.Is(err, cause) {
			t.Errorf("%v does not wrap its cause", err)
		}
	}
	if _, ok := server.Deployment("shop", "prod"); ok {
		t.Error("something was deployed")
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestEvents(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	secret := server.Token(0)
	for _, tt := range []struct {
		name, stream, want string // events as NAME:MSG, then the error
	}{
		{"unknown ones pass", "event: later\ndata: {\"msg\": \"m\", \"x\": 1}\n\nevent: odd\ndata: text\n\ndata: {\"msg\": 3}\n\n", "later:m odd:text message:3 "},
		{"the token is redacted", "event: exception\ndata: {\"msg\": \"Bearer " + secret + "\"}\n\n", "exception:Bearer [redacted] "},
		{"too large", "event: a\ndata: {}\n\nevent: b\ndata: " + strings.Repeat("x", 5000) + "\n\n", "a: read events: an event is larger than 4 KiB, the limit: raise client.Options.MaxEvent; the deployment may be going on"},
		{"minions null", "event: highstate-start\ndata: {\"minions\": null}\n\n", "read events: the event highstate-start is malformed: it has no \"minions\"; the deployment may be going on"},
		{"the token as a name", "event: " + secret + "\ndata: {}\n\n", "[redacted]: "},
		{"minions missing", "event: highstate-start\ndata: {\"msg\": \"m\"}\n\n", "read events: the event highstate-start is malformed: it has no \"minions\"; the deployment may be going on"},
		{"not JSON", "event: highstate-update\ndata: oops\n\n", "read events: the event highstate-update is malformed: it is not JSON; the deployment may be going on"},
		// From eventsource/format-* of web-platform-tests.
		{"byte order mark", "\ufeffevent: a\ndata: {\"msg\": \"1\"}\n\n", "a:1 "},
		{"line endings", "event: a\r\ndata: {\"msg\":\r\ndata: \"1\"}\r\n\r\nevent: b\rdata: {}\r\r", "a:1 b: "},
		{"comments and unknown fields", ": hi\nretry: 1\nid: 7\nother: x\nevent: a\ndata: {}\n\n", "a: "},
		{"incomplete last event", "event: a\ndata: {}\n\nevent: b\ndata: {}\n", "a: read events: the stream of events ended in the middle of an event; the deployment may be going on"},
		{"event without data", "event: a\n\nevent: b\ndata: {}\n\n", "b: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := spirotest.New(t, spirotest.Options{})
			server.Replay([]byte(strings.ReplaceAll(tt.stream, secret, "SECRET-of-some-length")))
			c := newClient(t, server.URL(), server.Token(0), func(o *client.Options) { o.MaxEvent = 4 << 10 })
			if strings.Contains(tt.stream, secret) {
				own := server.Token(0)
				server.Replay([]byte(strings.ReplaceAll(tt.stream, secret, own)))
				c = newClient(t, server.URL(), own)
			}
			stream, err := c.Upload(t.Context(), shop(tar))
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			var got strings.Builder
			for e, err := range stream.Events() {
				if err != nil {
					got.WriteString(err.Error())
					break
				}
				fmt.Fprintf(&got, "%s:%s ", e.Name, e.Msg)
			}
			if got.String() != tt.want {
				t.Errorf("got  %q\nwant %q", got.String(), tt.want)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{TLS: true})
	secret := server.Token(0)
	trusted := newClient(t, server.URL(), secret, func(o *client.Options) { o.Certificate = server.CertPEM() })
	if err := trusted.Check(t.Context()); err != nil {
		t.Error(err)
	}
	stream, err := trusted.Upload(t.Context(), shop(tar))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events(t, stream); err != nil {
		t.Error(err)
	}
	if err := newClient(t, server.URL(), secret, func(o *client.Options) { o.Insecure = true }).Check(t.Context()); err != nil {
		t.Error(err)
	}
	plain := spirotest.New(t, spirotest.Options{})
	for says, c := range map[string]*client.Client{
		"client.Options.Certificate": newClient(t, server.URL(), secret),
		"does not speak TLS":         newClient(t, strings.Replace(plain.URL(), "http", "https", 1), secret),
		"there is no host named":     newClient(t, "https://no-such-host.invalid/", secret),
	} {
		var transport *client.TransportError
		if err := c.Check(t.Context()); !errors.As(err, &transport) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want a TransportError that says %q", err, says)
		}
	}
}

// TestAddress checks that Address changes where the client connects, but not the names that it asks for.
func TestAddress(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{TLS: true})
	address := strings.TrimSuffix(strings.TrimPrefix(server.URL(), "https://"), "/")
	c := newClient(t, "https://localhost:4510/", server.Token(0), func(o *client.Options) {
		o.Address, o.Certificate = address, server.CertPEM()
		o.Proxy = func(*http.Request) (*url.URL, error) { return nil, errors.New("the proxy was asked") }
	})
	if err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.URL.Host != "salt:4510" {
			t.Errorf("the proxy was asked for %s", r.URL)
		}
		_, _ = io.WriteString(w, "Auth OK")
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, "http://salt:4510/", server.Token(0), func(o *client.Options) { o.Proxy = http.ProxyURL(u) })
	if err := c.Check(t.Context()); err != nil || asked.Load() != 1 {
		t.Errorf("%v, %d requests through the proxy", err, asked.Load())
	}
}

// TestCancel ends the context while minions work.
func TestCancel(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "slow", Targets: []string{"*"}, Delay: time.Hour}}})
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	reason := errors.New("changed my mind")
	stream, err := newClient(t, server.URL(), server.Token(0)).Upload(ctx, shop(topTar(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	for e, err := range stream.Events() {
		if err != nil {
			var broken *client.StreamError
			if !errors.As(err, &broken) || !errors.Is(err, reason) {
				t.Errorf("%v, want a StreamError for the reason given", err)
			}
			return
		}
		if e.Name == client.HighstateStart {
			cancel(reason)
		}
	}
	t.Error("the stream ended without an error")
}

func TestNew(t *testing.T) {
	t.Parallel()
	secret := tok(t, "secret-token")
	for _, tt := range []struct {
		name string
		opts client.Options
		says []string
	}{
		{"everything", client.Options{Server: "http://h", Certificate: []byte("x"), Address: "h"}, []string{"4 problems", "plain HTTP", "no token", "has no effect", "host:port"}},
		{"scheme", client.Options{Server: "ftp://h/", Token: secret}, []string{"ftp:// is not a scheme", "should look like"}},
		{"no host", client.Options{Server: "https:///x", Token: secret}, []string{"should look like"}},
		{"no scheme", client.Options{Server: "127.0.0.1:4510", Token: secret}, []string{"it does not begin with https://: did you mean https://127.0.0.1:4510/?"}},
		{"no scheme, and a name", client.Options{Server: "salt.example.com:443/", Token: secret}, []string{"did you mean https://salt.example.com:443/?"}},
		{"no scheme, IPv6", client.Options{Server: "[::1]:4510", Token: secret}, []string{"did you mean https://[::1]:4510/?"}},
		{"no scheme, and the usual port", client.Options{Server: "salt:4510", Token: secret}, []string{"did you mean https://salt:4510/?"}},
		{"a user and a password, it may be", client.Options{Server: "admin:12345", Token: secret}, []string{"it does not begin with https://: it should look like"}},
		{"not a URL", client.Options{Server: "https://h:port", Token: secret}, []string{"it is not a URL"}},
		{"control character", client.Options{Server: "https://h\x1b[2J/", Token: secret}, []string{"it is not a URL"}},
		{"query", client.Options{Server: "https://h/?a=b", Token: secret}, []string{"query"}},
		{"an empty certificate", client.Options{Certificate: []byte{}, Token: secret}, []string{"certificate: it is empty"}},
		{"a blank certificate", client.Options{Certificate: []byte("\n"), Token: secret}, []string{"certificate: it is empty"}},
		{"no certificate", client.Options{Certificate: []byte("x"), Token: secret}, []string{"not in PEM"}},
		{"a key", client.Options{Certificate: []byte("-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n"), Token: secret}, []string{"it has no certificate (-----BEGIN CERTIFICATE-----), but -----BEGIN EC PRIVATE KEY-----"}},
		{"no certificate inside", client.Options{Certificate: []byte("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"), Token: secret}, []string{"certificate: it cannot be read: malformed certificate"}},
		{"half a certificate", client.Options{Certificate: []byte("-----BEGIN CERTIFICATE-----\nAA==\n"), Token: secret}, []string{"it is damaged, or was not copied whole"}},
		{"both", client.Options{Certificate: []byte("x"), Insecure: true, Token: secret}, []string{"leave out client.Options.Certificate or client.Options.Insecure"}},
	} {
		_, err := client.New(tt.opts)
		for _, want := range tt.says {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", tt.name, err, want)
			}
		}
	}
	for _, url := range []string{"https://user:hunter2@h/", "user:hunter2@h:4510", "https://h/?token=hunter2", "https://h/#hunter2", "hunter2", "https://hunter2 /"} {
		_, err := client.New(client.Options{Server: url, Token: secret})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v: want an error without the password", err)
		}
	}
	c, err := client.New(client.Options{Token: secret})
	if err != nil || c.Server() != "https://salt:4510/" || c.Plain() {
		t.Errorf("the zero value is not the default server: %v", err)
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"shop", "Größe", "a b", "a.b", "...", "-x", "a%2Fb"} {
		if err := client.CheckName("project", good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", ".", "..", "a/b", "/", " a", "a\n", "a\x00b", "a\x1bb", "\xff"} {
		if err := client.CheckName("project", bad); err == nil {
			t.Errorf("%q is taken for a name", bad)
		}
	}
	server := spirotest.New(t, spirotest.Options{})
	d := shop(tar)
	d.Project, d.Deployment = "..", "a/b"
	_, err := newClient(t, server.URL(), server.Token(0)).Upload(t.Context(), d)
	if err == nil || !strings.Contains(err.Error(), "project") || !strings.Contains(err.Error(), "deployment") || len(server.Requests()) > 0 {
		t.Errorf("%v, after %d requests", err, len(server.Requests()))
	}
}

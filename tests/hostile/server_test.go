package hostile_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// answer writes the answer to a request, byte by byte.
type answer func(*wire)

// wire is a connection to write to. If the client has gone, writing does nothing: see
// open.
type wire struct {
	to   *bufio.Writer
	path string // that was asked for
	left int    // bytes until an endless answer ends
	err  error
}

// endless is how many bytes an endless answer writes to a client that never stops
// reading: so many that a client which keeps them exceeds its memory, and that one which
// stops after some time (soon) has not read all of them by then. Clients read a GiB in 2 s.
const endless = 8 << 30

// open reports whether the client still reads.
func (w *wire) open() bool { return w.err == nil && w.left > 0 }

func (w *wire) print(texts ...string) {
	for _, text := range texts {
		if !w.open() {
			return
		}
		w.left -= len(text)
		_, w.err = w.to.WriteString(text)
	}
}

// repeat writes text n times.
func (w *wire) repeat(text string, n int) {
	for ; n > 0 && w.open(); n-- {
		w.print(text)
	}
}

// forever writes text again and again.
func (w *wire) forever(text string) {
	text = strings.Repeat(text, max(1, (32<<10)/len(text)))
	for w.open() {
		w.print(text)
	}
}

// server answers requests on raw connections, since net/http refuses to send what these
// tests need.
type server struct {
	url      string
	listener net.Listener
	get      answer
	post     answer
	requests atomic.Int64 // that have arrived

	running sync.WaitGroup
	mu      sync.Mutex
	conns   []net.Conn
}

// serve starts a server for the time of a test, with TLS if there is a configuration. If
// get is nil, the server takes any token.
func serve(t *testing.T, config *tls.Config, get, post answer) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{url: "http://" + listener.Addr().String() + "/", listener: listener, get: get, post: post}
	if config != nil {
		s.url = "https" + strings.TrimPrefix(s.url, "http")
		s.listener = tls.NewListener(listener, config)
	}
	if get == nil {
		s.get = whole("200 OK", "Content-Type: text/plain\r\nContent-Length: 7\r\n", "Auth OK")
	}
	s.running.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns = append(s.conns, conn)
		s.mu.Unlock()
		s.running.Go(func() {
			defer conn.Close()
			s.handle(conn)
		})
	}
}

func (s *server) close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for _, conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// handle reads a whole request, and answers it.
func (s *server) handle(conn net.Conn) {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	s.requests.Add(1)
	w := &wire{to: bufio.NewWriterSize(conn, 64<<10), path: req.URL.Path, left: endless}
	if req.Method != http.MethodPost || s.post == nil {
		s.get(w)
	} else {
		if _, err := io.WriteString(conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		s.post(w)
	}
	_ = w.to.Flush()
}

// whole answers with a status, header lines and a body.
func whole(status, header string, body ...string) answer {
	return func(w *wire) {
		w.print("HTTP/1.1 ", status, "\r\nConnection: close\r\n", header, "\r\n")
		w.print(body...)
	}
}

// without answers like whole, and then with text again and again.
func without(end answer, text string) answer {
	return func(w *wire) {
		end(w)
		w.forever(text)
	}
}

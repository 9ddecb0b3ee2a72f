package faults_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

var quiet = log.New(io.Discard, "", 0)

// hostOf returns the host and port of a URL.
func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	return strings.TrimSuffix(rest, "/")
}

// front is a server that speaks TLS before a plain one. If that cuts a connection, so
// does front.
func front(t *testing.T, config *tls.Config, to string) (addr string) {
	t.Helper()
	return accept(t, func(conn net.Conn) { forward(conn.(*net.TCPConn), config, to) })
}

func forward(conn *net.TCPConn, config *tls.Config, to string) {
	client := tls.Server(conn, config)
	if client.Handshake() != nil {
		return
	}
	dialed, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	server := dialed.(*net.TCPConn)
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { // requests
		if _, err := io.Copy(server, client); err != nil {
			reset(server)
		}
		_ = server.CloseWrite()
	})
	both.Go(func() { // answers
		if _, err := io.Copy(client, server); err != nil {
			reset(conn)
			return
		}
		_ = client.CloseWrite()
		_ = conn.CloseWrite()
	})
	both.Wait()
}

// reset closes a connection so that the other side sees it cut.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// take takes a connection away from a handler.
func take(t *testing.T, w http.ResponseWriter) net.Conn {
	t.Helper()
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		panic(http.ErrAbortHandler)
	}
	return conn
}

// accept is a server that calls handle with each connection, and then closes it.
func accept(t *testing.T, handle func(net.Conn)) (addr string) {
	t.Helper()
	l := listen(t)
	var all sync.WaitGroup
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done; all.Wait() })
	return l.Addr().String()
}

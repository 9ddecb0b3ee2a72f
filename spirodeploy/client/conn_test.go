package client_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// TestEager has a server speak before it is asked. Its words must not get into the
// standard log.
//
//nolint:paralleltest // all tests share the standard log
func TestEager(t *testing.T) {
	var logged bytes.Buffer
	before := log.Writer()
	log.SetOutput(&logged)
	defer log.SetOutput(before)
	donor := httptest.NewTLSServer(http.NotFoundHandler()) // provides a certificate
	defer donor.Close()
	config := &tls.Config{Certificates: donor.TLS.Certificates, MaxVersion: tls.VersionTLS12} // with 1.2, the words follow the handshake at once
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			server := tls.Server(conn, config)
			_, _ = io.WriteString(server, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nAuth OK")
			_ = server.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	c := newClient(t, "https://"+l.Addr().String(), "a-token-for-eager-servers", func(o *client.Options) { o.Insecure = true })
	for range 300 {
		_ = c.Check(t.Context()) // the result does not matter
	}
	if logged.Len() > 0 {
		t.Errorf("%d bytes were logged", logged.Len())
	}
}

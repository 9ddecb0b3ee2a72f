package client

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/spirostack/spirodeploy/internal/peer"
)

// wholeBody is the body of an answer that ends with its connection. Reading fails if
// the connection was cut.
type wholeBody struct {
	io.ReadCloser
	conn net.Conn
}

func (b wholeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) && peer.CutUnderTLS(b.conn) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// roundTrip sends a request and returns the answer. Reading its body fails if the
// connection was cut. An error of a proxy is an OpError "proxyconnect".
func (c *Client) roundTrip(req *http.Request) (*http.Response, error) {
	var conn net.Conn
	var atProxy atomic.Bool // whether the proxy, not the server, has to answer now
	by := c.proxy()
	// A SOCKS proxy only makes connections, and its errors say that they are its own.
	atProxy.Store(by != nil && !strings.HasPrefix(by.Scheme, "socks5"))
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn },
		// With an HTTP proxy, this is the handshake with the server, through a tunnel. The
		// proxy answers plain requests itself.
		TLSHandshakeStart: func() { atProxy.Store(false) },
	})
	resp, err := c.transport.RoundTrip(req.WithContext(ctx))
	if err != nil && atProxy.Load() && !peer.OfProxy(err) {
		err = &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
	}
	if err == nil && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0 {
		resp.Body = wholeBody{resp.Body, conn}
	}
	return resp, err
}

// proxy returns the proxy that requests go through, or nil.
func (c *Client) proxy() *url.URL { return proxyOf(c.transport, c.server) }

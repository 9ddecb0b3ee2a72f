package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
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

// atProxyKey is the context key of an *atomic.Bool: whether the proxy, not the server,
// has to answer the request now.
type atProxyKey struct{}

// reach sets whether the proxy has to answer the request of a context.
func reach(ctx context.Context, atProxy bool) {
	if at, ok := ctx.Value(atProxyKey{}).(*atomic.Bool); ok {
		at.Store(atProxy)
	}
}

// roundTrip sends a request and returns the answer. Reading its body fails if the
// connection was cut. An error of a proxy is an OpError "proxyconnect".
func (c *Client) roundTrip(req *http.Request) (*http.Response, error) {
	var conn net.Conn
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn }}
	atProxy := new(atomic.Bool)
	atProxy.Store(c.Plain() && c.proxied()) // the proxy itself forwards plain requests
	ctx := context.WithValue(httptrace.WithClientTrace(req.Context(), trace), atProxyKey{}, atProxy)
	resp, err := c.transport.RoundTrip(req.WithContext(ctx))
	if err != nil && atProxy.Load() && !peer.OfProxy(err) {
		err = &net.OpError{Op: "proxyconnect", Net: "tcp", Err: err}
	}
	if err == nil && resp.ContentLength < 0 && len(resp.TransferEncoding) == 0 {
		resp.Body = wholeBody{resp.Body, conn}
	}
	return resp, err
}

// proxied reports whether requests go through a proxy.
func (c *Client) proxied() bool {
	if c.transport.Proxy == nil {
		return false
	}
	by, err := c.transport.Proxy(&http.Request{URL: c.server})
	return err == nil && by != nil
}

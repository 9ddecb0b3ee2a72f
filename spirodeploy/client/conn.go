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

// wholeBody is the body of an answer whose end nothing marks but that of its
// connection. It fails if that was cut.
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

// onTheWay tells of a request that goes through a proxy whether that is what has
// to answer now.
type onTheWay struct{ atProxy atomic.Bool }

type onTheWayKey struct{}

// reach tells the request of a context whether a proxy has to answer.
func reach(ctx context.Context, atProxy bool) {
	if way, ok := ctx.Value(onTheWayKey{}).(*onTheWay); ok {
		way.atProxy.Store(atProxy)
	}
}

// roundTrip sends a request and returns the answer, which ends with an error if it
// was cut. An error of a proxy is an OpError "proxyconnect".
func (c *Client) roundTrip(req *http.Request) (*http.Response, error) {
	var conn net.Conn
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn }}
	way := new(onTheWay)
	way.atProxy.Store(c.Plain() && c.proxied()) // which passes plain requests on itself
	ctx := context.WithValue(httptrace.WithClientTrace(req.Context(), trace), onTheWayKey{}, way)
	resp, err := c.transport.RoundTrip(req.WithContext(ctx))
	if err != nil && way.atProxy.Load() && !peer.OfProxy(err) {
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

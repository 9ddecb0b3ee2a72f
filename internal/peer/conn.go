package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ErrHandshake means that the TLS handshake took too long.
var ErrHandshake = errors.New("no TLS handshake")

// dialTLS connects and does the TLS handshake, as net/http would.
func dialTLS(
	ctx context.Context, network, addr string,
	dial func(context.Context, string, string) (net.Conn, error), config *tls.Config, limit time.Duration,
) (net.Conn, error) {
	raw, err := patient(dial(ctx, network, addr))
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		_ = raw.Close() // the reason is already an error
		return nil, err
	}
	config.ServerName = WithoutZone(host)
	shake, cancel := context.WithTimeoutCause(ctx, limit, ErrHandshake)
	defer cancel()
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(shake); err != nil {
		_ = raw.Close() // as above
		if shake.Err() != nil && ctx.Err() == nil {
			err = ErrHandshake
		}
		return nil, err
	}
	return conn, nil
}

// patient wraps a connection in two ways. It reads nothing before the first write:
// net/http logs what a server says before it is asked, and a token may be in that. And
// it lets the reader finish after a write fails: a server may refuse a request early
// and reset the connection, and net/http would report only the reset.
func patient(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	asked, ended := make(chan struct{}), make(chan struct{})
	return &patientConn{
		Conn: conn, asked: asked, ask: sync.OnceFunc(func() { close(asked) }),
		ended: ended, end: sync.OnceFunc(func() { close(ended) }),
	}, nil
}

// lastAnswer is how long a failed write waits for the reader. The answer is already
// there, or it will not come.
const lastAnswer = 2 * time.Second

type patientConn struct {
	net.Conn
	asked chan struct{}
	ask   func()
	ended chan struct{} // closed at the end of reading
	end   func()
	eof   atomic.Bool // the other side closed the connection properly
}

func (c *patientConn) Read(p []byte) (int, error) {
	<-c.asked
	n, err := c.Conn.Read(p)
	if err != nil {
		c.eof.Store(errors.Is(err, io.EOF))
		c.end()
	}
	return n, err
}

func (c *patientConn) Write(p []byte) (int, error) {
	c.ask()
	n, err := c.Conn.Write(p)
	if err != nil {
		limit := time.NewTimer(lastAnswer)
		defer limit.Stop()
		select {
		case <-c.ended:
		case <-limit.C:
		}
	}
	return n, err
}

func (c *patientConn) Close() error {
	c.ask() // wake the reader
	c.end()
	return c.Conn.Close()
}

// CutUnderTLS reports whether the TCP connection ended without a close_notify of TLS
// (RFC 8446, section 6.1). Anybody in between can cause that, and crypto/tls ignores
// it between two records.
func CutUnderTLS(conn net.Conn) bool {
	if outer, ok := conn.(*patientConn); ok {
		conn = outer.Conn
	}
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return false
	}
	under, ok := secure.NetConn().(*patientConn)
	return ok && under.eof.Load()
}

// WithoutZone returns an IPv6 address without its zone, which only this machine
// understands (RFC 6874) and no certificate contains.
func WithoutZone(host string) string {
	host, _, _ = strings.Cut(host, "%")
	return host
}

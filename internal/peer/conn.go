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

// handshake does the TLS handshake on a connection, as net/http would.
func handshake(ctx context.Context, raw net.Conn, addr string, config *tls.Config, limit time.Duration) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		_ = raw.Close() // the reason is already an error
		return nil, err
	}
	config = config.Clone()
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
	return patient(conn, 0), nil
}

// patient wraps a connection in two ways. It reads nothing before the first write:
// net/http logs what a server says before it is asked, and a token may be in that. And
// it lets the reader finish after a write fails: a server may refuse a request early
// and reset the connection, and net/http would report only the reset. The connection
// ends if it is silent for longer than silence, unless silence is zero.
func patient(conn net.Conn, silence time.Duration) net.Conn {
	asked, ended := make(chan struct{}), make(chan struct{})
	return &patientConn{
		Conn: conn, silence: silence, asked: asked, ask: sync.OnceFunc(func() { close(asked) }),
		ended: ended, end: sync.OnceFunc(func() { close(ended) }),
	}
}

// lastAnswer is how long a failed write waits for the reader. The answer is already
// there, or it will not come.
const lastAnswer = 2 * time.Second

type patientConn struct {
	net.Conn
	silence time.Duration
	asked   chan struct{}
	ask     func()
	ended   chan struct{} // closed at the end of reading
	end     func()
	eof     atomic.Bool // the other side closed the connection properly
}

// extend puts off the end of the connection.
func (c *patientConn) extend() {
	if c.silence > 0 {
		_ = c.SetDeadline(time.Now().Add(c.silence)) // it fails if the connection is closed
	}
}

func (c *patientConn) Read(p []byte) (int, error) {
	<-c.asked
	c.extend()
	n, err := c.Conn.Read(p)
	if err != nil {
		c.eof.Store(errors.Is(err, io.EOF))
		c.end()
	}
	return n, err
}

func (c *patientConn) Write(p []byte) (int, error) {
	c.ask()
	c.extend()
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

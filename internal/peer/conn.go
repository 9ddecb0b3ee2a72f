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

// ErrHandshake means that there was no TLS handshake in time.
var ErrHandshake = errors.New("no TLS handshake")

// dialTLS connects, and does what net/http would do for TLS.
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

// patient makes a connection one from which nothing is read before something was
// written: of a server that speaks before it was asked, net/http writes the words
// to the standard log, and there may be a token in them. And when writing fails,
// what the other side has said until then is read first: a server may refuse a
// request early and reset the connection, and net/http would report only that.
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

// lastAnswer is how long a failed write waits for what there is still to read. It
// is there already, or it will not come.
const lastAnswer = 2 * time.Second

type patientConn struct {
	net.Conn
	asked chan struct{}
	ask   func()
	ended chan struct{} // closed when there is nothing more to read
	end   func()
	eof   atomic.Bool // whether the other side ended the connection properly
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
	c.ask() // whoever waits is to see the end
	c.end()
	return c.Conn.Close()
}

// CutUnderTLS reports whether the other side has ended a connection under TLS
// without saying so in TLS, by a close_notify (RFC 8446, section 6.1): anybody on
// the way can do that. crypto/tls passes over it between two records.
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

// WithoutZone returns an IPv6 address without its zone, which means something on this
// machine only (RFC 6874): no certificate has it.
func WithoutZone(host string) string {
	host, _, _ = strings.Cut(host, "%")
	return host
}

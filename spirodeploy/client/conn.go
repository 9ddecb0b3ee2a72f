package client

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// errHandshake means that there was no TLS handshake in time.
var errHandshake = errors.New("no TLS handshake")

// dialTLS connects, and does what net/http would do for TLS.
func dialTLS(
	ctx context.Context, network, addr string,
	dial func(context.Context, string, string) (net.Conn, error), config *tls.Config, limit time.Duration,
) (net.Conn, error) {
	raw, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config = config.Clone()
	if config.ServerName, _, err = net.SplitHostPort(addr); err != nil {
		_ = raw.Close() // the reason is already an error
		return nil, err
	}
	shake, cancel := context.WithTimeoutCause(ctx, limit, errHandshake)
	defer cancel()
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(shake); err != nil {
		_ = raw.Close() // as above
		if shake.Err() != nil && ctx.Err() == nil {
			err = errHandshake
		}
		return nil, err
	}
	return conn, nil
}

// patient makes a connection one from which nothing is read before something was
// written: of a server that speaks before it was asked, net/http writes the words
// to the standard log, and there may be a token in them.
func patient(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	asked := make(chan struct{})
	return &patientConn{Conn: conn, asked: asked, ask: sync.OnceFunc(func() { close(asked) })}, nil
}

type patientConn struct {
	net.Conn
	asked chan struct{}
	ask   func()
}

func (c *patientConn) Read(p []byte) (int, error) {
	<-c.asked
	return c.Conn.Read(p)
}

func (c *patientConn) Write(p []byte) (int, error) {
	c.ask()
	return c.Conn.Write(p)
}

func (c *patientConn) Close() error {
	c.ask() // whoever waits is to see the end
	return c.Conn.Close()
}

package peer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// MaxHeader is the size of the largest header of an answer, in bytes.
const MaxHeader = 64 << 10

const (
	// bufferSize is the size of a connection's buffers, in bytes.
	bufferSize = 64 << 10
	// continueTimeout is how long a body waits for "100 Continue" if its request expects
	// that. Without the wait, a connection reset often hides an early refusal
	// (golang/go#11745).
	continueTimeout = time.Second
)

// Way says how connections are made.
type Way struct {
	// TLS returns the configuration for a connection to the server, or to a proxy in TLS if
	// there is one.
	TLS func() *tls.Config
	// Address is the host:port to connect to for every request, without a proxy;
	// default: that of the request's URL.
	Address string
	// Proxy chooses the proxy for a request; default: none.
	Proxy func(*http.Request) (*url.URL, error)
	// Patience limits connecting, and then the TLS handshake.
	Patience time.Duration
	// Silence limits how long nothing may be read or written; default: no limit.
	Silence time.Duration
}

// Transport returns a transport that speaks HTTP/1.1 and uses each connection once. The
// server may be closing a connection that is used again, and the client could not tell
// whether a request arrived on it.
func (w Way) Transport() *http.Transport {
	dialer := &net.Dialer{
		Timeout:         w.Patience,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 30 * time.Second, Count: 5},
	}
	if w.Address != "" {
		w.Proxy = nil
	}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		if w.Address != "" {
			addr = w.Address
		}
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return patient(conn, w.Silence), nil
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  w.Proxy,
		OnProxyConnectResponse: checkProxy,
		DialContext:            dial,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return handshake(ctx, conn, addr, w.TLS(), w.Patience)
		},
		TLSHandshakeTimeout:    w.Patience,
		ExpectContinueTimeout:  continueTimeout,
		MaxResponseHeaderBytes: MaxHeader,
		WriteBufferSize:        bufferSize,
		ReadBufferSize:         bufferSize,
		Protocols:              protocols,
		DisableKeepAlives:      true,
		DisableCompression:     true,
	}
}

// checkProxy returns an error if the proxy refuses a tunnel. net/http would return the
// bare status, as if the server had sent it.
func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &refusal{answer.StatusCode, answer.Status}}
}

// Trust returns the certificates in a text in PEM, beside those of the system if system
// is true. The error says why there is none in the text.
func Trust(text []byte, system bool) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if system {
		if all, err := x509.SystemCertPool(); err == nil { // otherwise those in the text may do
			pool = all
		}
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // editors on Windows put it there
	if pool.AppendCertsFromPEM(text) {
		return pool, nil
	}
	return pool, noCertificate(text)
}

// noCertificate says why there is no certificate in a text.
func noCertificate(text []byte) error {
	const want = "-----BEGIN CERTIFICATE-----"
	found := pemBegin.Find(text)
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("it is empty")
	case found == nil:
		return errors.New("it is not in PEM format (" + want + ")")
	case !bytes.Contains(text, []byte(want)):
		return fmt.Errorf("it has no certificate (%s), but %s", want, found)
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); block.Type == "CERTIFICATE" && err != nil {
			return fmt.Errorf("it cannot be read: %s", strings.TrimPrefix(err.Error(), "x509: "))
		}
	}
	return errors.New("it is damaged, or was not copied whole")
}

var pemBegin = regexp.MustCompile(`-----BEGIN [0-9A-Z ]{1,40}-----`)

// IsPort reports whether a text is the number of a port that can be connected to.
func IsPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

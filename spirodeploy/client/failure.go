package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/until"
)

// failure is what ended a request, in our words.
type failure struct {
	text string
	err  error // nil where its own words have the token in them
}

func (f *failure) Error() string { return f.text }

func (f *failure) Unwrap() error { return f.err }

// failure returns why there was no answer, and what helps: the context's own
// reason, where that ended it. What it says cannot have the token in it.
func (c *Client) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return until.Reason(ctx)
	}
	f := &failure{text: plain.Line(c.token.Redact(c.explain(err))), err: err}
	if raw := err.Error(); c.token.Redact(raw) != raw {
		f.err = nil
	}
	return f
}

// explain says in our words what an error of the network means, and what helps
// against it.
func (c *Client) explain(err error) string {
	var (
		op         *net.OpError
		dns        *net.DNSError
		untrusted  *tls.CertificateVerificationError
		notTLS     tls.RecordHeaderError
		_          = errors.As(err, &op)
		wasDialing = op != nil && op.Op == "dial"
	)
	switch {
	case op != nil && op.Op == "proxyconnect":
		return "the proxy cannot be used: " + c.explain(op.Err) + " (the proxy is that of HTTPS_PROXY or HTTP_PROXY; NO_PROXY names the hosts to go to without it)"
	case errors.As(err, &untrusted):
		return c.explainCertificate(untrusted)
	case errors.As(err, &notTLS):
		return "the server does not speak TLS on this port: if it is meant to speak plain HTTP, use http:// in the server URL, and --insecure"
	case op != nil && op.Op == "remote error":
		return "the server broke off the TLS handshake (" + op.Err.Error() + "): is this the port of a SpiroFS server? One that wants a client's certificate, or knows no newer TLS than 1.1, cannot be used"
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("there is no host of the name %q: check the server URL", dns.Name)
	case errors.As(err, &dns):
		return fmt.Sprintf("the host name %q could not be looked up (%s): check this machine's DNS", dns.Name, dns.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens on " + address(op) + ": check host and port of the server URL, and that SpiroFS runs in the Salt master"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to " + address(op) + ": check the server URL, and this machine's network"
	case wasDialing && op.Timeout():
		return fmt.Sprintf("no connection to %s came about within %s: check host and port of the server URL; a firewall on the way may drop it", address(op), c.connectTimeout)
	case strings.HasSuffix(err.Error(), "TLS handshake timeout"): // its type is hidden in net/http
		return fmt.Sprintf("the server took the connection, and then no TLS handshake came about within %s: does it speak TLS on this port? For plain HTTP, use http:// in the server URL, and --insecure", c.connectTimeout)
	case isCut(err):
		return "the connection was cut"
	}
	return explainHTTP(err.Error())
}

// address returns where a connection was to go.
func address(op *net.OpError) string {
	if op == nil || op.Addr == nil {
		return "the server's port"
	}
	return op.Addr.String()
}

// isCut reports whether the other side, or something on the way, ended a connection.
func isCut(err error) bool {
	for _, cut := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED} {
		if errors.Is(err, cut) {
			return true
		}
	}
	// That of net/http for a connection that ended before it was written to.
	return strings.Contains(err.Error(), "server closed idle connection")
}

// explainHTTP puts into other words what net/http says in ones of its own.
func explainHTTP(text string) string {
	text = strings.TrimPrefix(text, "net/http: HTTP/1.x transport connection broken: ")
	switch {
	case strings.Contains(text, "response headers exceeded"):
		return "the header of the answer is larger than " + sizeText(maxHeader) + ": this is no SpiroFS server"
	case strings.Contains(text, "too many 1xx"):
		return "the server sends interim answers and never a final one: this is no SpiroFS server"
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME header"):
		return "the answer is not HTTP (" + text + "): check the server URL"
	case strings.Contains(text, "chunk"):
		return "the answer is garbled (" + text + ")"
	}
	return text
}

package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// failure says in our words why there was no answer.
type failure struct {
	why  string
	help fault.Hint
	err  error // nil if its text has the token in it
}

func (f *failure) Error() string { return f.Explain().String() }

func (f *failure) Explain() fault.Parts { return fault.Parts{Why: f.why, Help: f.help} }

func (f *failure) Unwrap() error { return f.err }

// also adds to what helps.
func (f *failure) also(help fault.Hint) {
	if f.help != "" {
		help = f.help + "; " + help
	}
	f.help = help
}

// failure returns why there was no answer, and what helps: the context's own reason if
// the context has ended. Its text cannot have the token in it.
func (c *Client) failure(ctx context.Context, err error, more ...func(*failure)) error {
	if ctx.Err() != nil {
		return ctxio.Reason(ctx)
	}
	f := &failure{err: err}
	f.why, f.help = c.explain(err)
	for _, add := range more {
		add(f)
	}
	f.why, f.help = sanitize.Line(c.token.Redact(f.why)), fault.Hint(sanitize.Line(c.token.Redact(string(f.help))))
	if raw := err.Error(); c.token.Redact(raw) != raw {
		f.err = nil
	}
	return f
}

const (
	checkURL fault.Hint = "check host and port of the server URL"
	plainURL fault.Hint = "if it is meant to speak plain HTTP, use http:// in the server URL, and {insecure}"
	proxyEnv fault.Hint = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names it; NO_PROXY takes hosts to go to without it"
)

// peer is who an error came from.
type peer struct {
	who       string     // "the server"
	checkAddr fault.Hint // what may be wrong with its address
	plain     fault.Hint // what helps if it does not speak TLS
	ownTrust  bool       // whether only the certificate that was given is trusted
}

func (c *Client) serverPeer() peer {
	p := peer{who: "the server", checkAddr: checkURL, plain: plainURL, ownTrust: c.ownTrust}
	if c.address != "" {
		p.checkAddr = "connections go to " + fault.Hint(fault.Literal(c.address)) + " in place of the server's host: check that a server listens there, and behind it if it leads on as a tunnel or service does"
	}
	return p
}

var proxyPeer = peer{who: "the proxy", checkAddr: proxyEnv, plain: "if it speaks plain HTTP, which is usual, its URL begins with http://"}

// explain says in our words what an error of the network means, and what may
// help against it.
func (c *Client) explain(err error) (why string, help fault.Hint) {
	if ofProxy(err) {
		var op *net.OpError
		errors.As(err, &op)
		why, help = c.explainOf(proxyPeer, op.Err)
		switch {
		case help == "":
			help = proxyEnv
		case !strings.Contains(string(help), string(proxyEnv)):
			help += "; " + proxyEnv
		}
		return "the proxy cannot be used: " + why, help
	}
	return c.explainOf(c.serverPeer(), err)
}

// explainOf is explain for an error of one of the peers.
func (c *Client) explainOf(p peer, err error) (why string, help fault.Hint) {
	var (
		op        *net.OpError
		dns       *net.DNSError
		untrusted *tls.CertificateVerificationError
		notTLS    tls.RecordHeaderError
	)
	wasOp := errors.As(err, &op)
	switch {
	case errors.As(err, &untrusted):
		return p.explainCertificate(untrusted)
	case strings.Contains(err.Error(), badCertificate):
		_, why, _ := strings.Cut(err.Error(), badCertificate)
		return p.who + "'s certificate is not as RFC 5280 has it, so that it cannot be read (" + strings.TrimPrefix(why, "x509: ") + ")", "have a new one made"
	case errors.As(err, &notTLS):
		return p.who + " does not speak TLS on this port", p.plain
	case wasOp && op.Op == "remote error":
		return p.who + " broke off the TLS handshake (" + op.Err.Error() + ")",
			p.checkAddr + "; one that wants a client's certificate, or knows no newer TLS than 1.1, cannot be used"
	case errors.As(err, &dns) && dns.IsNotFound:
		help := fault.Hint("check the server URL")
		if p == proxyPeer {
			help = p.checkAddr
		}
		if c.server.String() == DefaultServer && dns.Name == c.server.Hostname() {
			help = "that is the default: {server} names another"
		}
		return fmt.Sprintf("there is no host of the name %q", dns.Name), help
	case errors.As(err, &dns):
		return fmt.Sprintf("the host name %q could not be looked up (%s)", dns.Name, dns.Err), "check this machine's DNS"
	case isOneOf(err, refused) && p == proxyPeer:
		return "nothing listens on " + address(op), p.checkAddr
	case isOneOf(err, refused):
		return "nothing listens on " + address(op), p.checkAddr + ", and that SpiroFS runs in the Salt master"
	case isOneOf(err, noRoute):
		return "there is no route to " + address(op), "check the server URL, and this machine's network"
	case wasOp && op.Op == "dial" && (op.Timeout() || isOneOf(err, tooLate)):
		return fmt.Sprintf("no connection to %s came about within %s", address(op), c.connectTimeout),
			p.checkAddr + "; a firewall on the way may drop connections"
	case errors.Is(err, errHandshake), strings.HasSuffix(err.Error(), "TLS handshake timeout"): // that of net/http, behind a proxy
		return fmt.Sprintf("%s took the connection, and then no TLS handshake came about within %s", p.who, c.connectTimeout), p.plain
	case isCut(err) && c.address != "" && p != proxyPeer:
		return "the connection was cut", p.checkAddr
	case isCut(err):
		return "the connection was cut", ""
	}
	return explainHTTP(err.Error(), p)
}

// badCertificate is how crypto/tls begins to say that it cannot parse a certificate.
const badCertificate = "tls: failed to parse certificate from server: "

// address returns where a connection was to go.
func address(op *net.OpError) string {
	if op == nil || op.Addr == nil {
		return "the server's port"
	}
	return op.Addr.String()
}

// isOneOf reports whether an error is, or wraps, one of some.
func isOneOf(err error, some []error) bool {
	return slices.ContainsFunc(some, func(one error) bool { return errors.Is(err, one) })
}

// isCut reports whether the other side, or something on the way, ended a connection.
func isCut(err error) bool {
	// The last is that of sending what net/http has closed when nothing more could be read.
	if isOneOf(err, cut) || isOneOf(err, []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed}) {
		return true
	}
	// That of net/http for a connection that ended before it was written to.
	return strings.Contains(err.Error(), "server closed idle connection")
}

// explainHTTP puts into other words what net/http says in ones of its own.
func explainHTTP(text string, p peer) (why string, help fault.Hint) {
	text = strings.TrimPrefix(text, "net/http: HTTP/1.x transport connection broken: ")
	switch {
	case strings.Contains(text, "response headers exceeded"):
		return "the header of the answer is larger than " + sizeText(maxHeader) + ", as none of SpiroFS is", p.checkAddr
	case strings.Contains(text, "too many 1xx"):
		return "the server sends interim answers and never a final one, as SpiroFS never does", p.checkAddr
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME header"):
		return "the answer is not HTTP (" + text + ")", p.checkAddr
	case strings.Contains(text, "chunk"), strings.Contains(text, "Content-Length"):
		return "the answer is garbled (" + strings.TrimPrefix(text, "http: ") + ")", ""
	}
	return text, ""
}

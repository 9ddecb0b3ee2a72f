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

// failure is an error of the network in plain words.
type failure struct {
	why  string
	help fault.Hint
	err  error // nil if its text contains the token
}

func (f *failure) Error() string { return f.Explain().String() }

func (f *failure) Explain() fault.Parts { return fault.Parts{Why: f.why, Help: f.help} }

func (f *failure) Unwrap() error { return f.err }

// also adds a hint.
func (f *failure) also(help fault.Hint) {
	if f.help != "" {
		help = f.help + "; " + help
	}
	f.help = help
}

// failure returns an error that explains err, or the reason of the context if it has
// ended. Its text never contains the token.
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
	plainURL fault.Hint = "use http:// in the server URL and {insecure} if it is meant to speak plain HTTP"
	proxyEnv fault.Hint = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names it; NO_PROXY lists hosts to reach without it"
)

// peer is the other side of a connection: the server or a proxy.
type peer struct {
	who       string     // such as "the server"
	checkAddr fault.Hint // the hint if its address may be wrong
	plain     fault.Hint // the hint if it does not speak TLS
	ownTrust  bool       // only Options.Certificate is trusted
}

func (c *Client) serverPeer() peer {
	p := peer{who: "the server", checkAddr: checkURL, plain: plainURL, ownTrust: c.ownTrust}
	if c.address != "" {
		p.checkAddr = "connections go to " + fault.Hint(fault.Literal(c.address)) + " instead of the server's host: check that a server listens there, and behind it if it is a tunnel or service"
	}
	return p
}

var proxyPeer = peer{who: "the proxy", checkAddr: proxyEnv, plain: "begin its URL with http:// if it speaks plain HTTP, as most do"}

// explain says in plain words what an error of the network means, and what may help.
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

// explainOf explains an error that comes from a peer.
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
		return p.who + "'s certificate is malformed (" + strings.TrimPrefix(why, "x509: ") + ")", "issue a new one"
	case errors.As(err, &notTLS):
		return p.who + " does not speak TLS on this port", p.plain
	case wasOp && op.Op == "remote error":
		return p.who + " aborted the TLS handshake (" + op.Err.Error() + ")",
			p.checkAddr + "; a server that requires a client certificate, or supports only TLS 1.1 or older, cannot be used"
	case errors.As(err, &dns) && dns.IsNotFound:
		help := fault.Hint("check the server URL")
		if p == proxyPeer {
			help = p.checkAddr
		}
		if c.server.String() == DefaultServer && dns.Name == c.server.Hostname() {
			help = "name your server with {server}: that was the default"
		}
		return fmt.Sprintf("there is no host named %q", dns.Name), help
	case errors.As(err, &dns):
		return fmt.Sprintf("the host name %q could not be looked up (%s)", dns.Name, dns.Err), "check this machine's DNS"
	case isOneOf(err, refused) && p == proxyPeer:
		return "nothing listens on " + address(op), p.checkAddr
	case isOneOf(err, refused):
		return "nothing listens on " + address(op), p.checkAddr + ", and that SpiroFS runs in the Salt master"
	case isOneOf(err, noRoute):
		return "there is no route to " + address(op), "check the server URL, and this machine's network"
	case wasOp && op.Op == "dial" && (op.Timeout() || isOneOf(err, tooLate)):
		return fmt.Sprintf("connecting to %s took longer than %s", address(op), c.connectTimeout),
			p.checkAddr + "; a firewall may be dropping connections"
	case errors.Is(err, errHandshake), strings.HasSuffix(err.Error(), "TLS handshake timeout"): // that of net/http, behind a proxy
		return fmt.Sprintf("%s accepted the connection but did not finish the TLS handshake within %s", p.who, c.connectTimeout), p.plain
	case isCut(err) && c.address != "" && p != proxyPeer:
		return "the connection was cut", p.checkAddr
	case isCut(err):
		return "the connection was cut", ""
	}
	return explainHTTP(err.Error(), p)
}

// badCertificate begins the error of crypto/tls for a certificate that it cannot parse.
const badCertificate = "tls: failed to parse certificate from server: "

// address returns the address that the client tried to connect to.
func address(op *net.OpError) string {
	if op == nil || op.Addr == nil {
		return "the server's port"
	}
	return op.Addr.String()
}

// isOneOf reports whether an error is one of some, or wraps one.
func isOneOf(err error, some []error) bool {
	return slices.ContainsFunc(some, func(one error) bool { return errors.Is(err, one) })
}

// isCut reports whether the other side, or something in between, ended a connection.
// net/http causes net.ErrClosed: it closes the connection after reading fails, while
// the body is still being sent. It has its own error for a connection that ended before
// the first write.
func isCut(err error) bool {
	return isOneOf(err, cut) || isOneOf(err, []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed}) ||
		strings.Contains(err.Error(), "server closed idle connection")
}

// explainHTTP explains an error that net/http makes only as text.
func explainHTTP(text string, p peer) (why string, help fault.Hint) {
	text = strings.TrimPrefix(text, "net/http: HTTP/1.x transport connection broken: ")
	switch {
	case strings.Contains(text, "response headers exceeded"):
		return "the header of the answer is larger than " + sizeText(maxHeader) + ", so it did not come from SpiroFS", p.checkAddr
	case strings.Contains(text, "too many 1xx"):
		return "the server sends interim answers but no final one, which SpiroFS never does", p.checkAddr
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME header"):
		return "the answer is not HTTP (" + text + ")", p.checkAddr
	case strings.Contains(text, "chunk"), strings.Contains(text, "Content-Length"):
		return "the answer is garbled (" + strings.TrimPrefix(text, "http: ") + ")", ""
	}
	return text, ""
}

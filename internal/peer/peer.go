// Package peer makes connections to servers, and says in plain words why there is
// none.
package peer

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// Peer is who an error came from.
type Peer struct {
	Who       string        // "the server"
	CheckAddr string        // what may be wrong with its address
	CheckName string        // what may be wrong with its host's name
	CheckURL  string        // what the user has given it as
	Runs      string        // what else to check if nothing listens there, after CheckAddr
	Plain     string        // what helps if it does not speak TLS
	Cut       string        // what helps if the connection was cut
	Trust     string        // the option that names a certificate to trust
	OwnTrust  bool          // whether only the certificate that was given is trusted
	Patience  time.Duration // what connecting is given
	// Other explains what is not about connections.
	Other func(text string, p Peer) (what, help string)
}

const proxyEnv = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names it; NO_PROXY takes hosts to go to without it"

// proxy returns the proxy on the way to a peer.
func (p Peer) proxy() Peer {
	return Peer{
		Who: "the proxy", CheckAddr: proxyEnv, CheckName: proxyEnv, CheckURL: p.CheckURL, Plain: "if it speaks plain HTTP, which is usual, its URL begins with http://",
		Trust: p.Trust, Patience: p.Patience, Other: p.Other,
	}
}

// Explain says what an error of the network means, and what may help against it.
func (p Peer) Explain(err error) (what, help string) {
	if OfProxy(err) {
		var op *net.OpError
		errors.As(err, &op)
		what, help = p.proxy().explain(op.Err)
		if !strings.Contains(help, proxyEnv) {
			help = strings.TrimPrefix(help+"; "+proxyEnv, "; ")
		}
		return "the proxy cannot be used: " + what, help
	}
	return p.explain(err)
}

// explain is Explain for an error of this peer.
func (p Peer) explain(err error) (what, help string) {
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
		return p.Who + "'s certificate is not as RFC 5280 has it, so that it cannot be read (" + strings.TrimPrefix(why, "x509: ") + ")", "have a new one made"
	case errors.As(err, &notTLS):
		return p.Who + " does not speak TLS on this port", p.Plain
	case wasOp && op.Op == "remote error":
		return p.Who + " broke off the TLS handshake (" + op.Err.Error() + ")",
			p.CheckAddr + "; one that wants a client's certificate, or knows no newer TLS than 1.1, cannot be used"
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("there is no host of the name %q", dns.Name), p.CheckName
	case errors.As(err, &dns):
		return fmt.Sprintf("the host name %q could not be looked up (%s)", dns.Name, dns.Err), "check this machine's DNS"
	case IsRefused(err):
		return "nothing listens on " + address(op), p.CheckAddr + p.Runs
	case isOneOf(err, noRoute):
		return "there is no route to " + address(op), p.CheckURL + ", and this machine's network"
	case wasOp && op.Op == "dial" && (op.Timeout() || isOneOf(err, tooLate)):
		return fmt.Sprintf("no connection to %s came about within %s", address(op), p.Patience),
			p.CheckAddr + "; a firewall on the way may drop connections"
	case errors.Is(err, ErrHandshake), strings.HasSuffix(err.Error(), "TLS handshake timeout"): // that of net/http, behind a proxy
		return fmt.Sprintf("%s took the connection, and then no TLS handshake came about within %s", p.Who, p.Patience), p.Plain
	case IsCut(err):
		return "the connection was cut", p.Cut
	}
	return p.Other(err.Error(), p)
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

// IsRefused reports whether nothing listens on the port of a connection.
func IsRefused(err error) bool { return isOneOf(err, refused) }

// IsCut reports whether the other side, or something on the way, ended a connection.
func IsCut(err error) bool {
	// The last is that of sending what net/http has closed when nothing more could be read.
	if isOneOf(err, cut) || isOneOf(err, []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed}) {
		return true
	}
	// That of net/http for a connection that ended before it was written to.
	return strings.Contains(err.Error(), "server closed idle connection")
}

// OfProxy reports whether an error is a proxy's.
func OfProxy(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "proxyconnect" || op.Op == "socks connect")
}

// Package peer makes connections to servers, and says in plain words why one fails.
package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// Peer is the other side of a connection: the server or a proxy. It has the hints for
// connections that fail.
type Peer struct {
	Who       string        // such as "the server"
	CheckAddr fault.Hint    // if its address may be wrong
	CheckName fault.Hint    // if the name of its host may be wrong
	CheckURL  fault.Hint    // if its URL may be wrong
	Runs      fault.Hint    // follows CheckAddr if nothing listens there
	Plain     fault.Hint    // if it does not speak TLS
	Cut       fault.Hint    // if the connection was cut
	Trust     fault.Option  // names a certificate to trust
	OwnTrust  bool          // only the given certificate is trusted
	Patience  time.Duration // limits connecting
	// Other explains errors that are not about connections.
	Other func(text string, p Peer) (why string, help fault.Hint)
}

const proxyEnv fault.Hint = "HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names it; NO_PROXY lists hosts to reach without it"

// proxy returns the proxy between this machine and the peer.
func (p Peer) proxy() Peer {
	return Peer{
		Who: "the proxy", CheckAddr: proxyEnv, CheckName: proxyEnv, CheckURL: p.CheckURL, Plain: "begin its URL with http:// if it speaks plain HTTP, as most do",
		Trust: p.Trust, Patience: p.Patience, Other: p.Other,
	}
}

// Explain says in plain words what an error of the network means, and what may help.
func (p Peer) Explain(err error) (why string, help fault.Hint) {
	if !OfProxy(err) {
		return p.explain(err)
	}
	var op *net.OpError
	errors.As(err, &op)
	why, help, reached := p.refused(op.Err)
	if reached {
		return "the proxy could not reach " + p.Who + ": " + why, p.CheckAddr + p.Runs + "; " + proxyEnv
	}
	if why == "" {
		why, help = p.proxy().explain(op.Err)
	}
	switch {
	case help == "":
		help = proxyEnv
	case !strings.Contains(string(help), string(proxyEnv)):
		help += "; " + proxyEnv
	}
	return "the proxy cannot be used: " + why, help
}

// A refusal is the answer of an HTTP proxy that makes no connection.
type refusal struct {
	code int
	text string // of the status line
}

func (r *refusal) Error() string { return "it answers " + r.text }

const askToLogIn fault.Hint = "add user name and password to the proxy's URL"

// refused explains why a proxy makes no connection, if the error says that. It reports
// whether the proxy can be used, and only does not reach the peer.
func (p Peer) refused(err error) (why string, help fault.Hint, reached bool) {
	if r, ok := errors.AsType[*refusal](err); ok {
		switch r.code {
		case http.StatusProxyAuthRequired:
			help = askToLogIn
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			reached = true
		}
		return r.Error(), help, reached
	}
	// The words of net/http for the answers of RFC 1928, section 6.
	text, known := strings.CutPrefix(err.Error(), "unknown error ")
	switch {
	case known && slices.Contains([]string{"network unreachable", "host unreachable", "connection refused", "TTL expired"}, text):
		return "it answers " + strconv.Quote(text), "", true
	case known:
		return "it answers " + strconv.Quote(text), "", false
	case strings.Contains(text, "no acceptable authentication methods"):
		return "it does not let everybody in", askToLogIn, false
	case strings.Contains(text, "username/password authentication failed"):
		return "it does not accept user name and password", "check those in the proxy's URL", false
	case strings.Contains(text, "unexpected protocol version"):
		return "it does not speak SOCKS 5", "begin its URL with http:// if it speaks HTTP", false
	}
	return "", "", false
}

// explain explains an error that comes from this peer.
func (p Peer) explain(err error) (why string, help fault.Hint) {
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
		return p.Who + "'s certificate is malformed (" + strings.TrimPrefix(why, "x509: ") + ")", "issue a new one"
	case errors.As(err, &notTLS):
		return p.Who + " does not speak TLS on this port", p.Plain
	case wasOp && op.Op == "remote error":
		return p.Who + " aborted the TLS handshake (" + op.Err.Error() + ")",
			p.CheckAddr + "; a server that requires a client certificate, or supports only TLS 1.1 or older, cannot be used"
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("there is no host named %q", dns.Name), p.CheckName
	case errors.As(err, &dns):
		return fmt.Sprintf("the host name %q could not be looked up (%s)", dns.Name, dns.Err), "check this machine's DNS"
	case IsRefused(err):
		return "nothing listens on " + address(op), p.CheckAddr + p.Runs
	case wasOp && op.Op == "dial" && lacksZone(op.Addr):
		return address(op) + " is a link-local address, and the URL does not say of which network interface", "write it like [fe80::1%25eth0]"
	case isOneOf(err, noRoute):
		return "there is no route to " + address(op), p.CheckURL + ", and this machine's network"
	case wasOp && op.Op == "dial" && (op.Timeout() || isOneOf(err, tooLate)):
		return fmt.Sprintf("connecting to %s took longer than %s", address(op), p.Patience),
			p.CheckAddr + "; a firewall may be dropping connections"
	case wasOp && op.Op == "dial":
		why := op.Err.Error()
		if failed, ok := errors.AsType[*os.SyscallError](err); ok {
			why = failed.Err.Error()
		}
		return "connecting to " + address(op) + " failed: " + why, p.CheckURL + ", and this machine's network"
	case errors.Is(err, ErrHandshake), strings.HasSuffix(err.Error(), "TLS handshake timeout"): // from net/http, behind a proxy
		return fmt.Sprintf("%s accepted the connection but did not finish the TLS handshake within %s", p.Who, p.Patience), p.Plain
	case errors.Is(err, context.DeadlineExceeded): // of net/http, for the answer of a proxy
		return p.Who + " accepted the connection but did not answer in time", p.CheckAddr
	case IsCut(err):
		return "the connection was cut", p.Cut
	}
	return p.Other(err.Error(), p)
}

// badCertificate begins the error of crypto/tls for a certificate that it cannot parse.
const badCertificate = "tls: failed to parse certificate from server: "

// address returns the address that the client tried to connect to.
func address(op *net.OpError) string {
	if op == nil || op.Addr == nil {
		return "its port"
	}
	return op.Addr.String()
}

// lacksZone reports whether an IPv6 address exists in each network of this machine, and does
// not say which one is meant.
func lacksZone(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.To4() == nil && tcp.IP.IsLinkLocalUnicast() && tcp.Zone == ""
}

// isOneOf reports whether an error is one of some, or wraps one.
func isOneOf(err error, some []error) bool {
	return slices.ContainsFunc(some, func(one error) bool { return errors.Is(err, one) })
}

// IsCut reports whether the other side, or something in between, ended a connection.
// net/http causes net.ErrClosed: it closes the connection after reading fails, while
// the body is still being sent. It has its own error for a connection that ended before
// the first write.
func IsCut(err error) bool {
	return isOneOf(err, cut) || isOneOf(err, []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed}) ||
		strings.Contains(err.Error(), "server closed idle connection")
}

// IsRefused reports whether nothing listens on the port of a connection.
func IsRefused(err error) bool { return isOneOf(err, refused) }

// OfProxy reports whether an error comes from a proxy.
func OfProxy(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "proxyconnect" || op.Op == "socks connect")
}

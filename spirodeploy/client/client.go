// Package client speaks the deploy protocol of SpiroFS. [Client.Check] asks the
// server whether a token is valid, [Client.Upload] submits a deployment, and
// [Stream.Events] yields the events that the server answers with.
//
// The protocol is documented in the server's engine (spirofs 0.3,
// engines/spiro.py). GET / answers "Auth OK". POST / takes multipart/form-data and
// answers with a stream of server-sent events (HTML Living Standard, section 9.2),
// which cannot be resumed. The client therefore never repeats a request: each one
// uses a new connection, redirects are not followed, and errors say whether the
// whole bundle was sent ([TransportError], [StatusError]).
//
// The package speaks only HTTP/1.1, as the server does, and does not read the
// environment.
package client

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/peer"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Defaults of [Options].
const (
	DefaultServer         = "https://salt:4510/"
	DefaultConnectTimeout = 20 * time.Second
	DefaultAnswerTimeout  = 15 * time.Minute
	DefaultMaxEvent       = 16 << 20
)

// PlainLimit is the size in bytes of the largest request that SpiroFS 0.3 accepts
// over plain HTTP (Tornado's default max_buffer_size). The server cuts the connection
// without an answer if a request is larger.
const PlainLimit = 100 << 20

// TLSLimit is PlainLimit for HTTPS.
const TLSLimit = 10 << 30

const (
	// checkTimeout limits a Check, not counting the time to connect.
	checkTimeout = time.Minute
	// grace is how long the server may take to end the stream after the last event.
	grace = 5 * time.Second
	// bufferSize is the size of the buffer in which lines are looked for, in bytes.
	bufferSize = 64 << 10
)

// Options say how to reach a server. Only Token is required.
type Options struct {
	// Server is the server's URL; default https://salt:4510/.
	Server string
	// Token is sent with each request.
	Token token.Token
	// Certificate holds one or more certificates in PEM, of the server or its CA, to
	// trust instead of the system's; default, if it is nil: the system's.
	Certificate []byte
	// Insecure allows plain HTTP, and accepts any certificate; default false.
	Insecure bool
	// Address is the host:port to connect to instead of the one in Server. Requests
	// and the certificate check still use the name in Server. Default: the one in Server.
	Address string
	// Proxy chooses the proxy for a request, like [http.ProxyFromEnvironment];
	// default: none. It is ignored if Address is set. (net/http writes to the standard
	// log what a server behind a proxy says before it is asked. A hostile server can
	// put a token there that it received earlier.)
	Proxy func(*http.Request) (*url.URL, error)
	// ConnectTimeout limits connecting, and then the TLS handshake; default 20 s for each.
	ConnectTimeout time.Duration
	// AnswerTimeout limits how long the server may read nothing of the bundle, and then
	// how long it may take to answer; default 15 minutes. A server needs that time to
	// unpack a large bundle. Silence limits what follows.
	AnswerTimeout time.Duration
	// Silence limits how long the stream of events may be silent while minions work;
	// default: no limit. Set it behind a tunnel or proxy that keeps the connection open
	// if the server goes away.
	Silence time.Duration
	// MaxEvent is the size in bytes of the largest event to accept; default 16 MiB.
	MaxEvent int
	// Spell spells the options that the Problem of an [Event] names; default: as
	// fields of Go structs.
	Spell fault.Speller
}

// Client talks to one server. Several goroutines may use it at once.
type Client struct {
	server         *url.URL
	token          token.Token
	transport      *http.Transport
	connectTimeout time.Duration
	answerTimeout  time.Duration
	maxEvent       int
	quiet          time.Duration // Options.Silence
	grace          time.Duration
	address        string
	ownTrust       bool // Options.Certificate is set
	spell          fault.Speller
}

// New checks the options and returns a client. The error lists every problem.
func New(opts Options) (*Client, error) {
	opts.Server = cmp.Or(opts.Server, DefaultServer)
	opts.ConnectTimeout = cmp.Or(max(0, opts.ConnectTimeout), DefaultConnectTimeout)
	opts.AnswerTimeout = cmp.Or(max(0, opts.AnswerTimeout), DefaultAnswerTimeout)
	opts.MaxEvent = cmp.Or(max(0, opts.MaxEvent), DefaultMaxEvent)
	server, err := parseServer(opts)
	errs := []error{err}
	if opts.Token.IsZero() {
		errs = append(errs, &fault.Error{Err: errors.New("no token"), Help: "set {token} (on the master, salt-run spiro.issue_token makes one)"})
	}
	tlsConfig, err := tlsConfig(opts, server)
	errs = append(errs, err)
	if opts.Address != "" {
		if _, _, err := net.SplitHostPort(opts.Address); err != nil {
			errs = append(errs, fmt.Errorf("address %q: not host:port", opts.Address))
		}
	}
	if err := errlist.Join(errs...); err != nil {
		return nil, err
	}
	return &Client{
		server: server, token: opts.Token, maxEvent: opts.MaxEvent, quiet: max(0, opts.Silence), address: opts.Address,
		connectTimeout: opts.ConnectTimeout, answerTimeout: opts.AnswerTimeout,
		transport: newTransport(opts, server, tlsConfig), ownTrust: opts.Certificate != nil, grace: grace, spell: opts.Spell,
	}, nil
}

// Server returns the server's URL.
func (c *Client) Server() string { return c.token.Redact(c.server.String()) }

// Plain reports whether the connection is plain HTTP.
func (c *Client) Plain() bool { return c.server.Scheme == "http" }

// parseServer reads the server's URL. Its errors never repeat a part that may be a
// misplaced secret.
func parseServer(opts Options) (*url.URL, error) {
	bad := func(why string, help fault.Hint) error {
		return &fault.Error{What: "server URL", Err: errors.New(why), Help: help}
	}
	const like = "it should look like " + DefaultServer
	u, err := url.Parse(opts.Server)
	if meant := "https://" + opts.Server; isBareHost(opts.Server) && opts.Token.Redact(meant) == meant {
		return nil, bad("it does not begin with https://", fault.Hint("did you mean "+strings.TrimSuffix(meant, "/")+"/?"))
	}
	switch {
	case err != nil:
		return nil, bad("it is not a URL", like)
	case u.User != nil:
		return nil, bad("it contains a user name or password, which SpiroFS does not support", "set {token}")
	case u.Opaque != "" || u.Scheme == "":
		return nil, bad("it does not begin with https://", like)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, bad(u.Scheme+":// is not a scheme of SpiroFS", like)
	case u.Hostname() == "":
		return nil, bad("it has no host", like)
	case u.Port() != "" && !peer.IsPort(u.Port()):
		return nil, bad("its port is not between 1 and 65535", like)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, bad("it has a query or fragment, which SpiroFS does not support", like)
	case u.Scheme == "http" && !opts.Insecure:
		return u, &fault.Error{
			What: "server URL " + opts.Token.Redact(u.String()), Err: errors.New("plain HTTP shows the token and the bundle to everyone in between"),
			Help: "use https, or {insecure} if that is safe here",
		}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// bareHost matches a host and its port. Other texts may be a user name with a password, or a
// token.
var bareHost = regexp.MustCompile(`^((?:[a-zA-Z0-9-]{1,30}\.){0,6}[a-zA-Z0-9-]{1,30}|\[[0-9a-fA-F:]{2,39}\]):([0-9]{1,5})/?$`)

func isBareHost(s string) bool {
	m := bareHost.FindStringSubmatch(s)
	return m != nil && peer.IsPort(m[2]) && (strings.ContainsAny(m[1], ".[") || m[1] == "localhost" || m[2] == "4510")
}

// tlsConfig returns the TLS configuration for the server.
func tlsConfig(opts Options, server *url.URL) (*tls.Config, error) {
	bad := func(why string, help fault.Hint) error {
		return &fault.Error{What: "certificate", Err: errors.New(why), Help: help}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: opts.Insecure} //nolint:gosec // the caller asked for it
	if opts.Certificate == nil {
		return config, nil
	}
	if server != nil && server.Scheme == "http" {
		return nil, bad("it has no effect with a plain http server URL", "use https, or leave {ssl-cert} out")
	}
	if opts.Insecure {
		return nil, bad("one is given to trust, and any is to be trusted", "leave out {ssl-cert} or {insecure}")
	}
	var err error
	if config.RootCAs, err = peer.Trust(opts.Certificate, false); err != nil {
		return nil, bad(err.Error(), "pass a certificate in PEM format as {ssl-cert}")
	}
	return config, nil
}

// newTransport returns a transport that uses each connection once.
func newTransport(opts Options, server *url.URL, tlsConfig *tls.Config) *http.Transport {
	var t *http.Transport
	t = peer.Way{
		Address: opts.Address, Proxy: opts.Proxy, Patience: opts.ConnectTimeout,
		TLS: func() *tls.Config {
			if opts.Certificate == nil || proxyOf(t, server) == nil {
				return tlsConfig
			}
			proxy := tlsConfig.Clone()
			proxy.RootCAs, _ = peer.Trust(opts.Certificate, true)
			return proxy
		},
	}.Transport()
	t.TLSClientConfig = tlsConfig.Clone() // for net/http, behind a proxy
	if host := peer.WithoutZone(server.Hostname()); !strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		t.TLSClientConfig.ServerName = host // else net/http knows how certificates spell it
	}
	return t
}

// proxyOf returns the proxy that requests to the server go through, or nil.
func proxyOf(t *http.Transport, server *url.URL) *url.URL {
	if t.Proxy == nil {
		return nil
	}
	by, err := t.Proxy(&http.Request{URL: server})
	if err != nil {
		return nil
	}
	return by
}

// CheckName returns an error if a project or deployment cannot have the name; what
// says which of the two it is. The server accepts some bad names and puts files in the
// wrong place.
func CheckName(what, name string) error {
	bad := func(why string) error { return fmt.Errorf("%s name %q: %s", what, name, why) }
	switch {
	case name == "":
		return fmt.Errorf("%s name: it is empty", what)
	case !utf8.ValidString(name):
		return bad("it is not valid UTF-8")
	case strings.ContainsRune(name, '/'):
		return bad("it contains a /")
	case name == "." || name == "..":
		return bad("it refers to another directory")
	case strings.TrimSpace(name) != name:
		return bad("it begins or ends with white space")
	case strings.ContainsFunc(name, unicode.IsControl):
		return bad("it contains a control character")
	}
	return nil
}

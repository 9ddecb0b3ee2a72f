// Package client speaks the deploy protocol of SpiroFS: it asks whether a token
// is valid ([Client.Check]) and submits a deployment ([Client.Upload]).
//
// The protocol is what the server's engine documents (spirofs 0.3,
// engines/spiro.py): GET / answers "Auth OK"; POST / takes multipart/form-data
// and answers with a stream of server-sent events (HTML Living Standard,
// section 9.2) that cannot be resumed. A request is therefore never repeated:
// each has a connection of its own, redirects are not followed, and errors say
// whether the whole bundle had gone out ([TransportError], [StatusError]).
//
// The package does not read the environment. HTTP/1.1 is all it speaks, as the
// server does.
package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/peer"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Defaults of [Options].
const (
	DefaultServer         = "https://salt:4510/"
	DefaultConnectTimeout = 20 * time.Second
	DefaultAnswerTimeout  = 15 * time.Minute
	DefaultMaxEvent       = 16 << 20
)

// PlainLimit is the size in bytes of the largest request that SpiroFS 0.3 takes
// over plain HTTP (Tornado's default max_buffer_size). It cuts the connection of
// a larger one, without an answer.
const PlainLimit = 100 << 20

const (
	// checkTimeout limits a Check, connecting apart: there is nothing to wait for.
	checkTimeout = time.Minute
	// continueTimeout is how long the body is held back for the server's
	// "100 Continue". The server always sends it; without waiting, an early
	// refusal is often lost in a connection reset (golang/go#11745).
	continueTimeout = time.Second
	// grace is how long a server may take to end the stream after its last event.
	grace = 5 * time.Second
	// maxHeader is the largest response header, in bytes.
	maxHeader = 64 << 10
	// bufferSize is that of a connection's buffers, in bytes.
	bufferSize = 64 << 10
)

// Options say how to reach a server. Of the zero value, only Token must be set.
type Options struct {
	// Server is the server's URL; default https://salt:4510/.
	Server string
	// Token is sent with each request.
	Token token.Token
	// Certificate is a certificate, or several, in PEM: the server's own or that
	// of its CA, trusted instead of the system's. Default: the system's.
	Certificate []byte
	// Insecure allows plain HTTP, and any certificate; default false.
	Insecure bool
	// Address is the host:port to connect to in place of the server's, whose
	// name stays the one that is asked for; default: the server's.
	Address string
	// Proxy chooses the proxy for a request, like [http.ProxyFromEnvironment];
	// default none. Not used with Address. (What a server behind a proxy says
	// before it is asked, net/http writes to the standard log; that may be a token
	// that it was sent before.)
	Proxy func(*http.Request) (*url.URL, error)
	// ConnectTimeout limits connecting, and then the TLS handshake; default 20 s.
	ConnectTimeout time.Duration
	// AnswerTimeout limits how long the server may take nothing of a bundle, and
	// then say nothing at all, not even that it has it; default 15 minutes. It
	// needs the time to read a large one. Silence limits what comes after that.
	AnswerTimeout time.Duration
	// Silence limits how long nothing may come of the stream of events, while minions
	// work; default no limit. A limit is of use if a server that goes away cannot be
	// noticed: behind a tunnel or proxy that holds the connection.
	Silence time.Duration
	// MaxEvent is the size of the largest event that is accepted, in bytes;
	// default 16 MiB.
	MaxEvent int
}

// Client talks to one server. It may be used by several goroutines.
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
	ownTrust       bool // a certificate was given to trust
}

// New checks the options. Its error tells all that is wrong with them.
func New(opts Options) (*Client, error) {
	if opts.Server == "" {
		opts.Server = DefaultServer
	}
	if opts.ConnectTimeout <= 0 {
		opts.ConnectTimeout = DefaultConnectTimeout
	}
	if opts.AnswerTimeout <= 0 {
		opts.AnswerTimeout = DefaultAnswerTimeout
	}
	if opts.MaxEvent <= 0 {
		opts.MaxEvent = DefaultMaxEvent
	}
	server, err := parseServer(opts)
	errs := []error{err}
	if opts.Token.IsZero() {
		errs = append(errs, errors.New("no token: set SPIRO_TOKEN or name a file with --token-file (on the master, salt-run spiro.issue_token makes one)"))
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
		transport: newTransport(opts, server, tlsConfig), ownTrust: len(opts.Certificate) > 0, grace: grace,
	}, nil
}

// Server returns the server's URL.
func (c *Client) Server() string { return c.token.Redact(c.server.String()) }

// Plain reports whether the connection is plain HTTP.
func (c *Client) Plain() bool { return c.server.Scheme == "http" }

// parseServer reads the server's URL. Its errors repeat of it only what cannot
// be a secret that was put in the wrong place.
func parseServer(opts Options) (*url.URL, error) {
	const like = ": it should look like " + DefaultServer
	u, err := url.Parse(opts.Server)
	switch {
	case err != nil:
		return nil, errors.New("server URL: it is no URL" + like)
	case u.User != nil:
		return nil, errors.New("server URL: it has a user name or password in it, which SpiroFS does not know: give the token in SPIRO_TOKEN")
	case u.Opaque != "" || u.Scheme == "":
		return nil, errors.New("server URL: it does not begin with https://" + like)
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("server URL: %s:// is not a scheme of SpiroFS%s", u.Scheme, like)
	case u.Hostname() == "":
		return nil, errors.New("server URL: it names no host" + like)
	case u.Port() != "" && !isPort(u.Port()):
		return nil, errors.New("server URL: its port is not one of 1 to 65535" + like)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("server URL: it has a query or fragment, of which SpiroFS knows nothing" + like)
	case u.Scheme == "http" && !opts.Insecure:
		return u, fmt.Errorf("server URL %s: plain HTTP shows the token and the bundle to everyone on the way: use https, or --insecure where that does no harm", opts.Token.Redact(u.String()))
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

func tlsConfig(opts Options, server *url.URL) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: opts.Insecure} //nolint:gosec // what Insecure says
	if len(opts.Certificate) == 0 {
		return config, nil
	}
	if server != nil && server.Scheme == "http" {
		return nil, errors.New("certificate: it is of no use with a server URL of plain http: use https, or leave --ssl-cert out")
	}
	if opts.Insecure {
		return nil, errors.New("certificate: --ssl-cert says whom to trust and --insecure to trust anybody: leave one of them out")
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(opts.Certificate) {
		return nil, errors.New("certificate: there is none in PEM format (-----BEGIN CERTIFICATE-----) in what --ssl-cert names")
	}
	return config, nil
}

func newTransport(opts Options, server *url.URL, tlsConfig *tls.Config) *http.Transport {
	way := peer.Way{
		Address: opts.Address, Proxy: opts.Proxy, Patience: opts.ConnectTimeout,
		TLS: func(addr string) *tls.Config {
			if addr != hostPort(server) {
				return trustSystem(tlsConfig, opts.Certificate)
			}
			return tlsConfig
		},
	}
	t := way.Transport()
	t.TLSClientConfig = tlsConfig.Clone() // for net/http, behind a proxy
	t.TLSClientConfig.ServerName = peer.WithoutZone(server.Hostname())
	t.GetProxyConnectHeader = func(ctx context.Context, _ *url.URL, _ string) (http.Header, error) {
		reach(ctx, true)
		return nil, nil
	}
	t.OnProxyConnectResponse = func(ctx context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
		if answer.StatusCode == http.StatusOK {
			reach(ctx, false)
		}
		return peer.CheckProxy(answer)
	}
	t.ExpectContinueTimeout = continueTimeout
	t.MaxResponseHeaderBytes = maxHeader
	t.WriteBufferSize, t.ReadBufferSize = bufferSize, bufferSize
	return t
}

// hostPort returns where the server's connections lead, as net/http has it.
func hostPort(server *url.URL) string {
	port := server.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[server.Scheme]
	}
	return net.JoinHostPort(server.Hostname(), port)
}

// trustSystem returns a configuration for a proxy that speaks TLS: beside a
// certificate that was given for the server, it trusts those of the system.
func trustSystem(config *tls.Config, certificate []byte) *tls.Config {
	if config.RootCAs == nil {
		return config
	}
	config = config.Clone()
	pool, err := x509.SystemCertPool()
	if err != nil {
		return config // it has the one that was given
	}
	pool.AppendCertsFromPEM(certificate)
	config.RootCAs = pool
	return config
}

// CheckName returns why a project or deployment (what) cannot have a name, or
// nil. The server would take some of these and put files in the wrong place.
func CheckName(what, name string) error {
	bad := func(why string) error { return fmt.Errorf("%s name %q: %s", what, name, why) }
	switch {
	case name == "":
		return fmt.Errorf("%s name: it is empty", what)
	case !utf8.ValidString(name):
		return bad("not valid UTF-8")
	case strings.ContainsRune(name, '/'):
		return bad("it has a / in it")
	case name == "." || name == "..":
		return bad("it means another directory")
	case strings.TrimSpace(name) != name:
		return bad("it has white space around it")
	case strings.ContainsFunc(name, unicode.IsControl):
		return bad("it has a control character in it")
	}
	return nil
}

package registry

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/peer"
)

// Defaults of [Options].
const (
	DefaultConnectTimeout = 20 * time.Second
	DefaultSilence        = 2 * time.Minute
	DefaultAttempts       = 5
)

// Options say how to reach registries. The zero value is for TLS, with the system's
// certificates and no login.
type Options struct {
	// Credentials finds the login, if a registry wants one; default none. [Docker] and
	// [Static] make some.
	Credentials Credentials
	// Certificate is a certificate of a CA, or several, in PEM. It is trusted beside the
	// system's, which storage and token services of a registry may need. Default, if it is nil: none.
	Certificate []byte
	// Insecure takes any certificate; default false.
	Insecure bool
	// PlainHTTP speaks HTTP without TLS, which shows login and bundle to everyone on the
	// way; default false. A registry on a loopback address (localhost, 127.0.0.1, [::1])
	// is spoken to in plain HTTP all the same, unless Certificate or Insecure is set.
	PlainHTTP bool
	// Proxy chooses the proxy for a request, like [http.ProxyFromEnvironment];
	// default none.
	Proxy func(*http.Request) (*url.URL, error)
	// ConnectTimeout limits connecting, and then the TLS handshake; default 20 s.
	ConnectTimeout time.Duration
	// Silence limits how long a registry may neither take nor say anything: then the
	// connection counts as cut. Default 2 minutes.
	Silence time.Duration
	// Attempts is how often a request is tried that fails for a reason that may pass;
	// default 5. A pull starts counting anew after each MiB.
	Attempts int
	// Progress is called while a bundle is pushed or pulled, with how many of its bytes
	// have been, by any goroutine; default: nobody is told. A push may begin again.
	Progress func(done, total int64)
}

// Client pushes to registries and pulls from them. It may be used by several
// goroutines.
type Client struct {
	opts Options
	tls  *tls.Config
}

// New checks the options. Its error tells all that is wrong with them.
func New(opts Options) (*Client, error) {
	opts.ConnectTimeout = cmp.Or(max(0, opts.ConnectTimeout), DefaultConnectTimeout)
	opts.Silence = cmp.Or(max(0, opts.Silence), DefaultSilence)
	opts.Attempts = cmp.Or(max(0, opts.Attempts), DefaultAttempts)
	if opts.Progress == nil {
		opts.Progress = func(int64, int64) {}
	}
	c := &Client{opts: opts, tls: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: opts.Insecure}} //nolint:gosec // what Insecure says
	var errs []error
	if opts.PlainHTTP && (opts.Certificate != nil || opts.Insecure) {
		errs = append(errs, errors.New("registry options: plain HTTP has no certificates: leave out plain HTTP, or what is about certificates"))
	}
	if opts.Certificate != nil && opts.Insecure {
		errs = append(errs, errors.New("registry options: a certificate says whom to trust and insecure to trust anybody: leave one of them out"))
	}
	if opts.Certificate != nil {
		var err error
		if c.tls.RootCAs, err = peer.Trust(opts.Certificate, true); err != nil {
			errs = append(errs, fmt.Errorf("registry options: certificate: %w", err))
		}
	}
	if err := errlist.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Result is a bundle in a registry.
type Result struct {
	Address     Address           // with the digest of the manifest
	Bundle      digest.Digest     // of the tar
	Size        int64             // of the tar, in bytes
	Annotations map[string]string // of the manifest: untrusted text
	// Sent says that the bundle had to be sent. Else the registry had it.
	Sent bool
}

// Manifest returns the digest of the manifest.
func (r Result) Manifest() digest.Digest { return r.Address.Digest }

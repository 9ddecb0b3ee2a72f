package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	oras "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/peer"
)

const (
	// maxRedirects is how many redirects are followed for one request.
	maxRedirects = 5
	// firstPause is the one before the second attempt. Each further one is twice as long.
	firstPause = 500 * time.Millisecond
	// maxPause is the longest pause, also if the registry asks for a longer one.
	maxPause = time.Minute
)

// What is done, as a verb.
const (
	pushing = "push"
	pulling = "pull"
)

// session is one push or pull. It does one request at a time.
type session struct {
	ctx     context.Context // it lives as long
	client  *Client
	addr    Address
	verb    string
	op      string
	plain   bool
	auth    *auth.Client
	repo    *remote.Repository
	wire    *http.Transport
	secrets secrets

	failed     atomic.Pointer[error] // of reading the caller's bundle
	tries      int                   // since the last progress
	after      time.Duration         // what the registry asks to wait
	signedIn   bool                  // whether there is a login
	answered   bool                  // whether the registry has ever answered
	dontExpect bool                  // something on the way does not know Expect: 100-continue
}

func (c *Client) session(ctx context.Context, verb string, addr Address) (*session, error) {
	if again, err := Parse(addr.String()); err != nil || again != addr {
		return nil, fmt.Errorf("%s: %w", verb, cmp.Or(err, errors.New("address of a bundle in a registry: it is not one that was parsed")))
	}
	op := verb + " " + addr.String()
	s := &session{ctx: ctx, client: c, addr: addr, verb: verb, op: op}
	s.plain = c.opts.PlainHTTP || addr.isLoopback() && c.opts.Certificate == nil && !c.opts.Insecure
	s.wire = peer.Way{
		TLS: func() *tls.Config { return c.tls }, Proxy: c.opts.Proxy, Patience: c.opts.ConnectTimeout, Silence: c.opts.Silence,
	}.Transport()
	s.wire.TLSClientConfig = c.tls.Clone() // for net/http, behind a proxy
	s.auth = &auth.Client{
		Client:     &http.Client{Transport: (*guard)(s), CheckRedirect: checkRedirect},
		Header:     http.Header{"User-Agent": {"spiro-deploy"}},
		Credential: s.credential,
		Cache:      auth.NewCache(),
	}
	s.repo = &remote.Repository{
		Client: s, PlainHTTP: s.plain, MaxMetadataBytes: maxManifest,
		Reference: oras.Reference{Registry: addr.Host, Repository: addr.Name},
	}
	return s, nil
}

// Do sends a request, with a login if the registry wants one.
func (s *session) Do(req *http.Request) (*http.Response, error) {
	if b, ok := req.Body.(*body); ok {
		req.GetBody = func() (io.ReadCloser, error) { return s.open(b.bundle) }
		if !s.dontExpect {
			req.Header.Set("Expect", "100-continue")
		}
	}
	return s.auth.Do(req)
}

// retry calls f until it succeeds, or fails for a reason that will not pass, or has
// been tried often enough.
func (s *session) retry(f func() error) error {
	for s.tries = 1; ; s.tries++ {
		s.after = 0
		err := s.explain(f())
		var e *Error
		if !errors.As(err, &e) || !e.passing {
			return err
		}
		s.dontExpect = s.dontExpect || e.StatusCode == http.StatusExpectationFailed
		pause := s.after
		if pause == 0 {
			pause = min(firstPause<<min(max(s.tries, 1)-1, 10), maxPause/2)
			pause += rand.N(pause / 2) //nolint:gosec // no secret
		}
		switch {
		case pause > maxPause:
			e.Problem += ", and asks for no other request within " + human.Elapsed(pause)
			return e
		case s.tries >= s.client.opts.Attempts:
			if s.tries > 1 {
				e.Problem += ", " + human.Count(s.tries, "time", "times")
			}
			return e
		}
		if err := pauseFor(s.ctx, pause); err != nil {
			return s.explain(err)
		}
	}
}

// pauseFor waits, or until the context ends.
var pauseFor = func(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// checkRedirect follows a registry to its storage, and nowhere with a body.
func checkRedirect(req *http.Request, via []*http.Request) error {
	switch first := via[0]; {
	case first.Method != http.MethodGet && first.Method != http.MethodHead:
		return &Error{
			Kind: ErrRefused, Problem: "the registry redirects what is sent to it to " + clipHost(req.URL.Host) + ", which is not followed",
			Help: "if that is right, use that host in the address",
		}
	case req.URL.Scheme != "http" && req.URL.Scheme != "https":
		return &Error{Kind: ErrRefused, Problem: "the registry redirects to an address that is not one of HTTP", Help: "check the host of the address"}
	case len(via) > maxRedirects:
		return &Error{Kind: ErrRefused, Problem: "the registry redirects again and again", Help: "check the host of the address"}
	}
	return nil
}

// guard is the transport of a session, which keeps credentials from where they do
// not belong.
type guard session

func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	authorization := req.Header.Get("Authorization")
	if _, secret, ok := strings.Cut(authorization, " "); ok {
		g.secrets.add(secret)
	}
	own := req.URL.Hostname() == (&url.URL{Host: g.repo.Reference.Host()}).Hostname()
	exposed := authorization != "" || req.Method != http.MethodGet && req.Method != http.MethodHead
	if req.URL.Scheme == "http" && (!g.plain || !own && exposed) {
		if req.Body != nil {
			_ = req.Body.Close() // as a RoundTripper has to
		}
		return nil, &Error{
			Kind: ErrRefused, Problem: "the registry sends to " + clipHost(req.URL.Host) + " over plain HTTP, where everyone on the way could read along",
			Help: "have it use https there",
		}
	}
	resp, err := g.wire.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	g.answered = true
	g.after = retryAfter(resp)
	return resp, nil
}

// retryAfter returns how long an answer asks to wait; 0 if it does not.
func retryAfter(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"

	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// Login is what to sign in to a registry with. The zero value is for nobody. It
// prints as redacted.
type Login struct {
	Username, Password string
	// RefreshToken is what "docker login" may get in place of a password (an
	// identity token).
	RefreshToken string
	// AccessToken is sent as it is, as a bearer token.
	AccessToken string
}

// Format writes that there is something, and not what.
func (l Login) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "login(redacted)") // as fmt does
}

// MarshalText writes what Format does, also in JSON and XML.
func (l Login) MarshalText() ([]byte, error) { return []byte("login(redacted)"), nil }

// Credentials finds what to sign in with to a registry, given as host or host:port.
type Credentials func(ctx context.Context, host string) (Login, error)

// Static signs in with a login.
func Static(l Login) Credentials {
	return func(context.Context, string) (Login, error) { return l, nil }
}

// Docker finds logins as Docker does, in its configuration file or with the credential
// helpers that this names, which are executed. For Docker, the path of the file is
// $DOCKER_CONFIG/config.json, or else ~/.docker/config.json. Without the file, there
// is no login.
func Docker(path string) Credentials {
	return func(ctx context.Context, host string) (Login, error) {
		broken := func(problem, help string) error {
			return &Error{Kind: ErrLogin, Problem: sanitize.Line(problem), Help: fault.Hint(fault.Literal(sanitize.Line(help)))}
		}
		store, err := credentials.NewStore(path, credentials.StoreOptions{})
		if err != nil {
			return Login{}, broken("Docker's configuration "+path+" cannot be read", "make it JSON that you may read, or name another file")
		}
		// A credential helper may hang, and leave children that hold its output.
		c, err := ctxio.Done(ctx, func() (auth.Credential, error) { return credentials.Credential(store)(ctx, host) })
		if ctx.Err() != nil {
			return Login{}, ctxio.Reason(ctx)
		}
		if err != nil {
			return Login{}, broken("Docker's configuration "+path+" gives no login for "+host+", since its entry is broken or its credential helper failed",
				"try \"docker login "+host+"\"")
		}
		return Login(c), nil
	}
}

// minSecret is the length of the shortest text that is looked for, in bytes: a shorter
// one is in every other text.
const minSecret = 6

// secrets knows what must not be shown.
type secrets struct {
	mu    sync.Mutex
	all   []string
	known token.Known // the same: it finds parts, and other ways to write them
}

func (s *secrets) add(more ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range more {
		if len(text) >= minSecret {
			s.all = append(s.all, text, url.QueryEscape(text), base64.StdEncoding.EncodeToString([]byte(text)))
			s.known.AddText(text)
		}
	}
}

// in reports whether a secret, or a part of one, is in a text.
func (s *secrets) in(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known.Redact(text) != text || slices.ContainsFunc(s.all, func(secret string) bool { return strings.Contains(text, secret) })
}

// credential finds the login for the registry of a session, and for no other host.
func (s *session) credential(ctx context.Context, host string) (auth.Credential, error) {
	if s.client.opts.Credentials == nil || host != s.repo.Reference.Host() {
		return auth.EmptyCredential, nil
	}
	l, err := s.client.opts.Credentials(ctx, host)
	if err != nil && !errors.As(err, new(*Error)) {
		err = ownError{fmt.Errorf("find login: %w", err)}
	}
	if err != nil {
		return auth.EmptyCredential, err
	}
	s.secrets.add(l.Password, l.RefreshToken, l.AccessToken)
	s.signedIn = l != Login{}
	if l.Password != "" {
		s.secrets.add(l.Username + ":" + l.Password)
	}
	return auth.Credential(l), nil
}

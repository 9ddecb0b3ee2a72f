package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/peer"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// Kinds of failure, for [errors.Is].
var (
	ErrNotFound    = errors.New("not found")       // there is no such repository, tag or digest
	ErrDenied      = errors.New("denied")          // no rights, or no login, or a wrong one
	ErrRefused     = errors.New("refused")         // the registry does not do it, or is no registry
	ErrUnreachable = errors.New("unreachable")     // no connection, no trust, or none that lasts; or the registry fails
	ErrMismatch    = errors.New("wrong digest")    // it is not what its digest or size says
	ErrNotBundle   = errors.New("not a bundle")    // there is something else under the address
	ErrLogin       = errors.New("login not found") // Docker's configuration cannot be used
)

// Error is a failure of a registry. What the context, the bundle or the writer of
// the caller ends has an error of its own.
type Error struct {
	Op         string     // what was being done, with the address
	Kind       error      // ErrNotFound, …
	Problem    string     // what is wrong
	Help       fault.Hint // what helps; may be empty
	StatusCode int        // of the registry's answer, if that is what is wrong
	Err        error      // the error of the network, if that is what is wrong

	passing bool // whether it may go away by itself
}

// Error returns what failed, why and what helps.
func (e *Error) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *Error) Explain() fault.Parts { return fault.Parts{What: e.Op, Why: e.Problem, Help: e.Help} }

// Unwrap returns the kind, and the error of the network if there is one.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// ownError is an error of the caller's bundle, writer or [Credentials].
type ownError struct{ err error }

func (e ownError) Error() string { return e.err.Error() }

func (e ownError) Unwrap() error { return e.err }

// explain says in our words why a request failed: in an [Error], unless it is the
// caller's doing.
func (s *session) explain(err error) error {
	var (
		own    ownError
		known  *Error
		answer *errcode.ErrorResponse
	)
	switch {
	case err == nil:
		return nil
	case s.ctx.Err() != nil:
		return fmt.Errorf("%s: %w", s.op, ctxio.Reason(s.ctx))
	case s.failed.Load() != nil:
		return fmt.Errorf("%s: %w", s.op, *s.failed.Load())
	case errors.As(err, &own):
		return fmt.Errorf("%s: %w", s.op, own.err)
	case errors.As(err, &known):
	case errors.As(err, &answer):
		known = s.explainStatus(answer)
	default:
		known = s.explainOther(err)
	}
	if s.secrets.in(known.Problem + string(known.Help)) {
		known.Problem, known.Help = known.Kind.Error()+" (more is not shown, since the login is in it)", ""
	}
	if known.Err != nil && s.secrets.in(known.Err.Error()) {
		known.Err = nil
	}
	known.Op = s.op
	known.Problem, known.Help = sanitize.Line(known.Problem), fault.Hint(sanitize.Line(string(known.Help)))
	return known
}

// explainOther explains what is no answer with a status of failure.
func (s *session) explainOther(err error) *Error {
	var (
		at   *url.Error
		wire net.Error
		host = s.repo.Reference.Host()
		text = err.Error()
	)
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		return s.notFound("")
	case errors.Is(err, auth.ErrBasicCredentialNotFound), strings.Contains(text, "missing username or password for"):
		return s.denied(http.StatusUnauthorized, "")
	case strings.Contains(text, "bearer realm"):
		return &Error{
			Kind: ErrDenied, Problem: "the registry sends to a token service at an address that no password is sent to",
			Help: "that of a registry with TLS must have TLS, and must not be on this machine or a special address of its network",
		}
	case strings.Contains(text, "blob upload Location"):
		return &Error{
			Kind: ErrRefused, Problem: "the registry wants the bundle at another address than its own, which is not followed",
			Help: "if it is behind a proxy, have that tell it its host and https (X-Forwarded-Host, X-Forwarded-Proto)",
		}
	case strings.Contains(text, "digest mismatch in"):
		return &Error{Kind: ErrMismatch, Problem: "the registry says that what it has is of another digest", Help: "try again; if it stays so, its storage is damaged"}
	case errors.As(err, &at):
		who := "the registry"
		if u, parsed := url.Parse(at.URL); parsed == nil && u.Host != host {
			who = sanitize.Clip(u.Host, 100) + ", to which the registry sends,"
		}
		return s.explainNetwork(who, at.Err)
	case errors.As(err, &wire), peer.IsCut(err):
		return s.explainNetwork("the registry", err)
	}
	return &Error{Kind: ErrRefused, Problem: "the answer is not that of a registry", Help: "check that " + fault.Hint(fault.Literal(host)) + " is one"}
}

// explainNetwork explains that there is no connection, or no longer one.
func (s *session) explainNetwork(who string, err error) *Error {
	e := &Error{Kind: ErrUnreachable, Err: err}
	var op *net.OpError
	if errors.As(err, &op) && op.Op != "dial" && errors.Is(err, os.ErrDeadlineExceeded) {
		e.Problem, e.passing = "nothing has come from "+who+" for "+human.Elapsed(s.client.opts.Silence), true
		return e
	}
	if errors.Is(err, http.ErrSchemeMismatch) { // as net/http says it
		err = tls.RecordHeaderError{}
	}
	const check fault.Hint = "check the host and port of the address"
	e.Problem, e.Help = peer.Peer{
		Who: who, CheckAddr: check, CheckName: check, CheckURL: check,
		Plain: "allow {registry-plain} if it is meant to speak plain HTTP",
		Trust: fault.RegistryCert, Patience: s.client.opts.ConnectTimeout,
		Other: func(string, peer.Peer) (string, fault.Hint) {
			return "the answer of " + who + " is not HTTP as it has to be", check
		},
	}.Explain(err)
	wasThere := s.answered && op != nil && op.Op == "dial"
	e.passing = wasThere || peer.IsCut(err) && !peer.OfProxy(err)
	if e.passing && e.Help == "" && !s.answered {
		e.Help = check
		if s.plain {
			e.Help += "; leave out {registry-plain} if it speaks TLS"
		}
	}
	return e
}

// explainStatus explains an answer with a status of failure.
func (s *session) explainStatus(answer *errcode.ErrorResponse) *Error {
	status := answer.StatusCode
	said, code := "", ""
	if len(answer.Errors) > 0 {
		code = answer.Errors[0].Code
		if text := answer.Errors[0].Message; text != "" && !s.secrets.in(text) {
			said = " (" + sanitize.Clip(text, 200) + ")"
		}
	}
	what := fmt.Sprintf("%d %s%s", status, http.StatusText(status), said)
	e := &Error{Kind: ErrRefused, StatusCode: status, Problem: "the registry answers " + what}
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusExpectationFailed, status >= 500:
		e.Kind, e.passing = ErrUnreachable, true
	// Token services are elsewhere. So may uploads be, which only a PUT or PATCH makes.
	case answer.Method != http.MethodPut && answer.Method != http.MethodPatch && (answer.URL == nil || !strings.HasPrefix(answer.URL.Path, "/v2/")):
		e.Kind, e.Problem, e.Help = ErrDenied, "the registry's token service answers "+what, s.loginHelp()
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return s.denied(status, said)
	case status == http.StatusNotFound:
		return s.notFound(said)
	case code == errcode.ErrorCodeDigestInvalid, code == errcode.ErrorCodeSizeInvalid:
		e.Kind, e.Problem, e.Help = ErrMismatch, "what arrived at the registry is not what was sent"+said, "try again; something on the way may change it"
	case status < http.StatusMultipleChoices: // a web site says that, and no registry
		e.Help = "a registry does not answer this request like that: check the host of the address"
	case status == http.StatusRequestEntityTooLarge:
		e.Help = "the bundle is too large for the registry, or for a proxy on the way"
	case status == http.StatusMethodNotAllowed, code == errcode.ErrorCodeUnsupported:
		e.Help = "it may be for reading only, or not take artifacts"
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		e.Help = "the tag may be there already and not for changing: use another"
	}
	return e
}

func (s *session) denied(status int, said string) *Error {
	e := &Error{Kind: ErrDenied, StatusCode: status, Problem: "the registry gives no right to " + s.verb + said, Help: s.loginHelp()}
	switch {
	case status == http.StatusUnauthorized && !s.signedIn:
		e.Problem = "the registry wants a login" + said
	case status == http.StatusUnauthorized:
		e.Problem = "the registry does not take the login" + said
	}
	return e
}

func (s *session) loginHelp() fault.Hint {
	if s.signedIn {
		return "check user name and password, that they are not expired, and what they may do in " + fault.Hint(fault.Literal(s.addr.Name))
	}
	return "there is none for " + fault.Hint(fault.Literal(s.repo.Reference.Host())) + ": {registry-login} gives one"
}

func (s *session) notFound(said string) *Error {
	e := &Error{Kind: ErrNotFound, StatusCode: http.StatusNotFound, Problem: "the registry has no repository " + s.addr.Name + said, Help: "check the name; some registries want one to be made first"}
	switch {
	case s.verb == pushing:
	case s.addr.Digest != "":
		e.Problem, e.Help = "the registry has nothing of that digest there"+said, "check name and digest; it is the manifest's, which a push tells, not the bundle's"
	default:
		e.Problem, e.Help = "the registry has no tag "+s.addr.Tag+" there"+said, "check name and tag"
	}
	return e
}

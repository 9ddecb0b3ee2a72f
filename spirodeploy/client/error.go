package client

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// StatusError means that the server, or something in between, answered with a status
// that is not a success.
type StatusError struct {
	Op         string     // what failed, such as "check token"
	StatusCode int        // of the answer
	Message    string     // the text of the answer's body, in one line; may be empty
	Location   string     // the URL of a redirect; may be empty
	Why        string     // replaces the usual meaning of the status if not empty
	Help       fault.Hint // replaces the usual hint for the status if not empty
	// BodySent reports that the whole bundle was sent. The server may have deployed it
	// despite its answer.
	BodySent bool
}

// Error returns what failed, why, what to do, and what became of the deployment.
func (e *StatusError) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *StatusError) Explain() fault.Parts {
	why := strings.TrimSpace(fmt.Sprintf("the server answered %d %s", e.StatusCode, http.StatusText(e.StatusCode))) // some have no text
	if e.Message != "" {
		why += " (" + e.Message + ")"
	}
	meaning := statuses[e.StatusCode]
	if e.Why != "" || e.Help != "" {
		meaning = status{why: e.Why, help: e.Help}
	}
	if e.Location != "" {
		why += ": it redirects to " + e.Location + ", which is not followed"
		meaning = status{help: "use that as the server URL if it is right"}
	}
	if meaning.why != "" {
		why += ": " + meaning.why
	}
	return fault.Parts{What: e.Op, Why: why, Outcome: outcome(e.BodySent && !e.nothing()), Help: meaning.help}
}

// nothing reports whether a server that gives this answer has deployed nothing, even
// if it got the whole bundle. SpiroFS 0.3 deploys despite a 403 and some 400s. A 303
// means that the server did what it was asked to do (RFC 9110).
func (e *StatusError) nothing() bool {
	return e.StatusCode >= 300 && e.StatusCode < 400 && e.StatusCode != http.StatusSeeOther || slices.Contains(nothingWith, e.StatusCode)
}

var nothingWith = []int{
	http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired,
	http.StatusLengthRequired, http.StatusExpectationFailed, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
}

// outcome says what became of the bundle.
func outcome(bodySent bool) string {
	if bodySent {
		return maybeDeployed
	}
	return nothingDeployed
}

const (
	maybeDeployed   = "the whole bundle was sent: it may have been deployed anyway"
	nothingDeployed = "nothing was deployed"
)

// status is what a status means in this protocol.
type status struct {
	why  string
	help fault.Hint
}

var statuses = map[int]status{
	http.StatusBadRequest:            {why: "the server did not understand the request"},
	http.StatusUnauthorized:          {"the token is not valid here: it has expired, is not valid yet, or was issued by another server", "get another one (on the master, salt-run spiro.issue_token makes them)"},
	http.StatusForbidden:             {"the token is not for this project, or a proxy in between forbids it", "get a token for the project (on the master, salt-run spiro.issue_token makes them)"},
	http.StatusNotFound:              {"there is no SpiroFS at this URL", "check its path"},
	http.StatusProxyAuthRequired:     {"a proxy in between requires a password", "add user name and password to the proxy's URL"},
	http.StatusRequestEntityTooLarge: {why: "the bundle is too large for the server, or for a proxy in between"},
	http.StatusExpectationFailed:     {why: "something in between does not support Expect: 100-continue"},
	http.StatusInternalServerError:   {"SpiroFS failed", "see the master's log"},
	http.StatusBadGateway:            {why: "a proxy in between could not reach the server"},
	http.StatusServiceUnavailable:    {why: "a proxy in between could not reach the server"},
	http.StatusGatewayTimeout:        {why: "a proxy in between timed out waiting for the server"},
}

// AnswerError means that the answer did not come from SpiroFS, or is not a complete
// answer of SpiroFS.
type AnswerError struct {
	Op       string     // what failed, as in [StatusError]
	Problem  string     // what is wrong with the answer
	Help     fault.Hint // what to do; may be empty
	BodySent bool       // as in [StatusError]
}

func (e *AnswerError) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *AnswerError) Explain() fault.Parts {
	return fault.Parts{What: e.Op, Why: e.Problem, Outcome: outcome(e.BodySent), Help: e.Help}
}

// TransportError means that no answer arrived.
type TransportError struct {
	Op       string // what failed, as in [StatusError]
	Err      error  // why
	BodySent bool   // as in [StatusError]
}

// Error returns what failed, why, what to do, and what became of the deployment.
func (e *TransportError) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *TransportError) Explain() fault.Parts {
	return fault.Parts{What: unlessEnded(e.Op, e.Err), Why: e.Err.Error(), Outcome: outcome(e.BodySent)}
}

func (e *TransportError) Unwrap() error { return e.Err }

// unlessEnded returns op, or "" if the caller ended it.
func unlessEnded(op string, err error) string {
	if errors.Is(err, context.Canceled) || errors.Is(err, ctxio.ErrInterrupted) {
		return ""
	}
	return op
}

// BundleError means that the client could not read the whole bundle, and stopped the
// upload. Nothing was deployed.
type BundleError struct{ Err error }

func (e *BundleError) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *BundleError) Explain() fault.Parts {
	return fault.Parts{What: "send bundle", Why: e.Err.Error(), Outcome: "the upload was stopped, " + nothingDeployed}
}

func (e *BundleError) Unwrap() error { return e.Err }

// StreamError means that the stream of events broke. The deployment may be going on
// at the server.
type StreamError struct {
	Err error // why
	// Malformed means that the server violated the protocol. Otherwise the connection
	// ended too early, or the caller ended it.
	Malformed bool
}

func (e *StreamError) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *StreamError) Explain() fault.Parts {
	return fault.Parts{What: unlessEnded("read events", e.Err), Why: e.Err.Error(), Outcome: "the deployment may be going on"}
}

func (e *StreamError) Unwrap() error { return e.Err }

// maxMessage limits how much of an error's body is read, in bytes. It is much more than
// maxShown, because a token can only be redacted if all of it was read.
const maxMessage = 64 << 10

var (
	htmlTitle = regexp.MustCompile(`(?is)<title>(.*?)</title>`)
	htmlTag   = regexp.MustCompile(`<[^>]*>`)
)

// message returns the text of an answer in one short line, without HTML and the token. It
// returns what was read even if reading fails, and nothing of a body that is encoded.
func (c *Client) message(resp *http.Response) (string, error) {
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	if isEncoded(resp) {
		return "", err
	}
	s := c.token.Redact(string(text))
	isHTML := htmlTag.MatchString(s)
	if m := htmlTitle.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	s = htmlTag.ReplaceAllString(s, " ")
	if isHTML {
		s = c.token.Redact(html.UnescapeString(s)) // &#39; may be in a token
	}
	s = strings.Join(strings.Fields(s), " ")
	return sanitize.Line(sanitize.Clip(s, maxShown)), err
}

// isEncoded reports whether the body of an answer is compressed, or encoded in another
// way. The client asks for no encoding, and reads none.
func isEncoded(resp *http.Response) bool {
	return !slices.Contains([]string{"", "identity"}, strings.ToLower(resp.Header.Get("Content-Encoding")))
}

// encoded says how an answer is encoded.
func (c *Client) encoded(resp *http.Response) string {
	return fmt.Sprintf("the answer is encoded as %q, unasked", c.value(resp.Header.Get("Content-Encoding")))
}

// redirect returns where an answer redirects to, as a whole URL if it is one. Otherwise it
// returns "".
func (c *Client) redirect(resp *http.Response) string {
	to := resp.Header.Get("Location")
	if to == "" || resp.StatusCode < 300 || resp.StatusCode > 399 {
		return ""
	}
	if u, err := c.server.Parse(to); err == nil {
		to = u.String()
	}
	return sanitize.Line(c.value(to))
}

// maxShown limits how much of a body or a header field is shown, in bytes.
const maxShown = 200

// value returns what a header field says, without the token.
func (c *Client) value(said string) string { return sanitize.Clip(c.token.Redact(said), maxShown) }

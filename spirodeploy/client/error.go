package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// StatusError means that the server, or something on the way to it, answered with a
// status that the protocol does not have for a success.
type StatusError struct {
	Op         string     // what failed, such as "check token"
	StatusCode int        // of the answer
	Message    string     // the text of the answer's body, in a line; may be empty
	Location   string     // the URL that the answer redirects to; may be empty
	Why        string     // why, if more is known than the status says
	Help       fault.Hint // what to do, if more is known than the status says
	// BodySent reports that the whole bundle had been sent: the server may have
	// deployed it in spite of its answer.
	BodySent bool
}

// Error returns what failed, why, what to do, and what became of the deployment.
func (e *StatusError) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *StatusError) Explain() fault.Parts {
	why := fmt.Sprintf("the server answered %d %s", e.StatusCode, http.StatusText(e.StatusCode))
	if e.Message != "" {
		why += " (" + e.Message + ")"
	}
	meaning := statuses[e.StatusCode]
	if e.Why != "" || e.Help != "" {
		meaning = status{why: e.Why, help: e.Help}
	}
	if e.Location != "" {
		why += ": it redirects to " + e.Location + ", which is not followed"
		meaning = status{help: "if that is right, use it as the server URL"}
	}
	if meaning.why != "" {
		why += ": " + meaning.why
	}
	return fault.Parts{What: e.Op, Why: why, Outcome: outcome(e.BodySent && !e.nothing()), Help: meaning.help}
}

// nothing reports that a server with this answer has deployed nothing, even if the
// whole bundle was sent. SpiroFS 0.3 deploys in spite of a 403, and of some 400; a
// server answers 303 if it has done what it was asked for (RFC 9110).
func (e *StatusError) nothing() bool {
	return e.StatusCode >= 300 && e.StatusCode < 400 && e.StatusCode != http.StatusSeeOther || slices.Contains(nothingWith, e.StatusCode)
}

var nothingWith = []int{
	http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired,
	http.StatusLengthRequired, http.StatusExpectationFailed, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
}

// outcome says what became of a bundle, of which all was sent or not.
func outcome(bodySent bool) string {
	if bodySent {
		return maybeDeployed
	}
	return nothingDeployed
}

const (
	maybeDeployed   = "the whole bundle had been sent: it may have been deployed all the same"
	nothingDeployed = "nothing was deployed"
)

// status is the meaning of a status in this protocol.
type status struct {
	why  string
	help fault.Hint
}

var statuses = map[int]status{
	http.StatusBadRequest:            {why: "the server did not understand the request"},
	http.StatusUnauthorized:          {"the token is not valid here: it has expired, is not valid yet, or was issued by another server", "get another one (on the master, salt-run spiro.issue_token makes them)"},
	http.StatusForbidden:             {"the token is not for this project, or a proxy on the way forbids it", "get a token for the project (on the master, salt-run spiro.issue_token makes them)"},
	http.StatusNotFound:              {"there is no SpiroFS at this URL", "check its path"},
	http.StatusProxyAuthRequired:     {"a proxy on the way wants a password", "put user and password into the proxy's URL"},
	http.StatusRequestEntityTooLarge: {why: "the bundle is too large for the server, or for a proxy on the way"},
	http.StatusExpectationFailed:     {why: "something on the way does not know Expect: 100-continue"},
	http.StatusInternalServerError:   {"SpiroFS failed", "see the master's log"},
	http.StatusBadGateway:            {why: "a proxy on the way could not reach the server"},
	http.StatusServiceUnavailable:    {why: "a proxy on the way could not reach the server"},
	http.StatusGatewayTimeout:        {why: "a proxy on the way did not wait any longer for the server"},
}

// AnswerError means that the answer did not come from SpiroFS.
type AnswerError struct {
	Op       string // what failed
	Problem  string // what is wrong with the answer
	Help     fault.Hint
	BodySent bool // as in [StatusError]
}

func (e *AnswerError) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *AnswerError) Explain() fault.Parts {
	return fault.Parts{What: e.Op, Why: e.Problem, Outcome: outcome(e.BodySent), Help: e.Help}
}

// TransportError means that there was no answer.
type TransportError struct {
	Op       string // what failed
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

// unlessEnded returns what failed, or "" if it did not fail, but the caller ended it.
func unlessEnded(op string, err error) string {
	if errors.Is(err, context.Canceled) || errors.Is(err, ctxio.ErrInterrupted) {
		return ""
	}
	return op
}

// BundleError means that the bundle could not be read to its end, so that not all of
// it was sent. Nothing was deployed.
type BundleError struct{ Err error }

func (e *BundleError) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *BundleError) Explain() fault.Parts {
	return fault.Parts{What: "send bundle", Why: e.Err.Error(), Outcome: "the upload was stopped, " + nothingDeployed}
}

func (e *BundleError) Unwrap() error { return e.Err }

// StreamError means that the stream of events broke. The server may go on with the
// deployment.
type StreamError struct {
	Err error
	// Malformed means that the server sent what the protocol does not have; else the
	// connection ended, or was ended, too early.
	Malformed bool
}

func (e *StreamError) Error() string { return e.Explain().String() }

// Explain implements [fault.Explainer].
func (e *StreamError) Explain() fault.Parts {
	return fault.Parts{What: unlessEnded("read events", e.Err), Why: e.Err.Error(), Outcome: "the deployment may be going on"}
}

func (e *StreamError) Unwrap() error { return e.Err }

// maxMessage is how much of an error's body is read, in bytes: enough that what
// is shown of it, the beginning, has no token in it that was cut in two.
const maxMessage = 64 << 10

var (
	htmlTitle = regexp.MustCompile(`(?is)<title>(.*?)</title>`)
	htmlTag   = regexp.MustCompile(`<[^>]*>`)
)

// message returns what a body says, in one short line without HTML or token.
// The error is that of reading; what came before is better than nothing.
func (c *Client) message(body io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(body, maxMessage))
	s := c.token.Redact(string(text))
	if m := htmlTitle.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	s = strings.Join(strings.Fields(htmlTag.ReplaceAllString(s, " ")), " ")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return sanitize.Line(s), err
}

// maxValue is how much of a header field is shown, in bytes.
const maxValue = 200

// value returns a field of an answer's header, to be shown.
func (c *Client) value(resp *http.Response, field string) string {
	return sanitize.Clip(c.token.Redact(resp.Header.Get(field)), maxValue)
}

package client

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// StatusError means that the server, or something on the way to it, answered
// with something else than was asked for.
type StatusError struct {
	Op         string // what was being done
	StatusCode int    // of the answer
	Message    string // what the answer's body says, in a line; may be empty
	Location   string // where a redirect leads
	Help       string // what helps, if more is known than the status says
	// BodySent says that the whole bundle had gone out, so that the server may
	// have deployed it all the same.
	BodySent bool
}

// Error tells the status, what it means and what helps.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s: the server answered %d %s", e.Op, e.StatusCode, http.StatusText(e.StatusCode))
	if e.Message != "" {
		s += " (" + e.Message + ")"
	}
	if e.Location != "" {
		s += ": it redirects to " + e.Location + ", which is not followed: if that is right, use it as the server URL"
	}
	if why := cmp.Or(e.Help, statusHints[e.StatusCode]); why != "" {
		s += ": " + why
	}
	return s + "; " + whatOf(e.BodySent && !e.nothing())
}

// nothing reports whether with this status nothing is deployed, also when the
// bundle was sent whole. SpiroFS 0.3 deploys in spite of a 403, and of some 400;
// a 303 is what a server says that has done what it was asked for (RFC 9110).
func (e *StatusError) nothing() bool {
	return e.StatusCode >= 300 && e.StatusCode < 400 && e.StatusCode != http.StatusSeeOther || slices.Contains(nothingWith, e.StatusCode)
}

var nothingWith = []int{
	http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired,
	http.StatusLengthRequired, http.StatusExpectationFailed, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
}

// whatOf says what has become of a bundle that was sent whole, or not.
func whatOf(bodySent bool) string {
	if bodySent {
		return maybeDeployed
	}
	return nothingDeployed
}

const (
	maybeDeployed   = "the whole bundle had been sent: it may have been deployed all the same"
	nothingDeployed = "nothing was deployed"
)

// statusHints say what a status means in this protocol.
var statusHints = map[int]string{
	http.StatusBadRequest:            "the server did not understand the request",
	http.StatusUnauthorized:          "the token is not valid here: it has expired, is not valid yet, or was issued by another server",
	http.StatusForbidden:             "the token is not for this project, or a proxy on the way forbids it",
	http.StatusNotFound:              "there is no SpiroFS at this URL: check its path",
	http.StatusProxyAuthRequired:     "a proxy on the way wants a password",
	http.StatusRequestEntityTooLarge: "the bundle is too large for the server, or for a proxy on the way",
	http.StatusExpectationFailed:     "something on the way does not know Expect: 100-continue",
	http.StatusInternalServerError:   "SpiroFS failed: the master's log tells why",
	http.StatusBadGateway:            "a proxy on the way could not reach the server",
	http.StatusServiceUnavailable:    "a proxy on the way could not reach the server",
	http.StatusGatewayTimeout:        "a proxy on the way lost patience with the server",
}

// An AnswerError means that the answer is none of SpiroFS's.
type AnswerError struct {
	Op       string // what was being done
	Problem  string // what is wrong with the answer
	BodySent bool   // as in [StatusError]
}

func (e *AnswerError) Error() string {
	return e.Op + ": " + e.Problem + "; " + whatOf(e.BodySent)
}

// TransportError means that there was no answer.
type TransportError struct {
	Op       string // what was being done
	Err      error  // why there was none
	BodySent bool   // as in [StatusError]
}

// Error tells the cause, what helps, and whether something may have been deployed.
func (e *TransportError) Error() string {
	return e.Op + ": " + e.Err.Error() + "; " + whatOf(e.BodySent)
}

func (e *TransportError) Unwrap() error { return e.Err }

// BundleError means that the bundle could not be read to its end, so that not
// all of it was sent. Nothing was deployed.
type BundleError struct{ Err error }

func (e *BundleError) Error() string {
	return "send bundle: " + e.Err.Error() + "; the upload was stopped, " + nothingDeployed
}

func (e *BundleError) Unwrap() error { return e.Err }

// StreamError means that the stream of events broke. What had been submitted
// may be going on.
type StreamError struct {
	Err error
	// Malformed means that the server said what cannot be; else the connection
	// ended, or was ended, too early.
	Malformed bool
}

func (e *StreamError) Error() string {
	return "read events: " + e.Err.Error() + "; the deployment may be going on"
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

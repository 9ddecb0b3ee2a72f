package client

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/peer"
)

// Check asks the server whether the token is valid. It does not check which projects
// the token is for. The error is a [StatusError], [AnswerError] or [TransportError].
func (c *Client) Check(ctx context.Context) error {
	const op = "check token"
	limit := min(checkTimeout, c.answerTimeout) + 2*c.connectTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, limit, c.silence(limit))
	defer cancel()
	req, err := c.request(ctx, http.MethodGet)
	if err != nil {
		return &TransportError{Op: op, Err: err}
	}
	resp, err := c.roundTrip(req)
	if err != nil {
		return &TransportError{Op: op, Err: c.failure(ctx, err, func(f *failure) {
			switch {
			case !peer.IsCut(err) || peer.OfProxy(err): // the server URL is not to blame
			case c.Plain() && c.address != "":
				f.also("use https:// in the server URL if it speaks TLS")
			case c.Plain():
				f.also("use https:// in the server URL if the server speaks TLS on this port")
			case c.address != "":
				f.also(plainURL)
			default:
				f.also(checkURL + "; " + plainURL)
			}
		})}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return c.statusError(op, resp, false)
	}
	said, err := c.message(resp)
	if err == nil && said != "Auth OK" {
		err = ctx.Err() // the body may have ended because the context did
	}
	if err != nil {
		return &TransportError{Op: op, Err: c.failure(ctx, err)}
	}
	if isEncoded(resp) {
		return &AnswerError{Op: op, Problem: c.encoded(resp)}
	}
	if said != "Auth OK" {
		return &AnswerError{Op: op, Problem: fmt.Sprintf("the answer is not SpiroFS's \"Auth OK\" but %q", said), Help: "check the server URL"}
	}
	return nil
}

// silence returns the error for a server that did not answer within the limit.
func (c *Client) silence(limit time.Duration) error {
	who := "the server"
	if c.proxy() != nil {
		who = "the server, or a proxy in between,"
	}
	return fmt.Errorf("%s accepted the connection but did not answer within %s", who, limit)
}

// request returns a request with the token and no body.
func (c *Client) request(ctx context.Context, method string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.server.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	req.Header.Set("User-Agent", "spirodeploy")
	req.Close = true // otherwise net/http sends the body after a refusal, to reuse the connection
	return req, nil
}

// statusError returns the error for an answer with an unexpected status.
func (c *Client) statusError(op string, resp *http.Response, bodySent bool) *StatusError {
	said, _ := c.message(resp) // the status says enough
	// Tornado's page repeats the status.
	said = strings.TrimPrefix(said, fmt.Sprintf("%d: %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	location := c.redirect(resp)
	if location != "" {
		said = "" // the page only repeats the redirect
	}
	rights, decodeErr := c.token.Rights()
	expired := rights.Expired(time.Now())
	e := &StatusError{Op: op, StatusCode: resp.StatusCode, BodySent: bodySent, Message: said, Location: location}
	switch {
	case c.Plain() && resp.StatusCode == http.StatusBadRequest && strings.Contains(said, "HTTPS"):
		e.Help = "use https:// in the server URL"
	case resp.StatusCode == http.StatusUnauthorized && decodeErr != nil:
		e.Why, e.Help = "the token is not valid here, and it is not a SpiroFS token (not a macaroon)", "check that you copied all of it"
	case resp.StatusCode == http.StatusUnauthorized && expired != nil:
		e.Why, e.Help = expired.Error(), statuses[http.StatusUnauthorized].help
	}
	return e
}

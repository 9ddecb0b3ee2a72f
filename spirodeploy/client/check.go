package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spirostack/spirodeploy/internal/plain"
)

// Check asks the server whether the token is valid. It says nothing of
// projects. The error is a [StatusError], [AnswerError] or [TransportError].
func (c *Client) Check(ctx context.Context) error {
	const op = "check token"
	limit := checkTimeout + 2*c.connectTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()
	req, err := c.request(ctx, http.MethodGet)
	if err != nil {
		return &TransportError{Op: op, Err: err}
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return &TransportError{Op: op, Err: c.failure(ctx, err)}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return c.statusError(op, resp, false)
	}
	if said := c.message(resp.Body); said != "Auth OK" {
		return &AnswerError{Op: op, Problem: fmt.Sprintf("the answer is not SpiroFS's \"Auth OK\" but %q: check the server URL", said)}
	}
	return nil
}

func (c *Client) request(ctx context.Context, method string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.server.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	req.Header.Set("User-Agent", "spirodeploy")
	return req, nil
}

// failure returns the reason why there was no answer: the context's own, where
// that ended it. What it says cannot have the token in it.
func (c *Client) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if text := err.Error(); c.token.Redact(text) != text {
		return errors.New(c.token.Redact(text))
	}
	return err
}

func (c *Client) statusError(op string, resp *http.Response, bodySent bool) error {
	said := c.message(resp.Body)
	// Tornado's page repeats the status.
	said = strings.TrimPrefix(said, fmt.Sprintf("%d: %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	return &StatusError{
		Op: op, StatusCode: resp.StatusCode, BodySent: bodySent,
		Message: said, Location: plain.Line(c.token.Redact(resp.Header.Get("Location"))),
	}
}

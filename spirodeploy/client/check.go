package client

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spirostack/spirodeploy/internal/plain"
)

// Check asks the server whether the token is valid. It says nothing of
// projects. The error is a [StatusError], [AnswerError] or [TransportError].
func (c *Client) Check(ctx context.Context) error {
	const op = "check token"
	limit := min(checkTimeout, c.answerTimeout) + 2*c.connectTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the server took the connection, and did not answer within %s", limit))
	defer cancel()
	req, err := c.request(ctx, http.MethodGet)
	if err != nil {
		return &TransportError{Op: op, Err: err}
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		err = c.failure(ctx, err)
		switch {
		case isCut(err) && c.Plain():
			err = fmt.Errorf("%w: if the server speaks TLS on this port, use https:// in the server URL", err)
		case isCut(err):
			err = fmt.Errorf("%w: %s", err, checkURL)
		}
		return &TransportError{Op: op, Err: err}
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

func (c *Client) statusError(op string, resp *http.Response, bodySent bool) error {
	said := c.message(resp.Body)
	// Tornado's page repeats the status.
	said = strings.TrimPrefix(said, fmt.Sprintf("%d: %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	if resp.Header.Get("Location") != "" {
		said = "" // that says so, too
	}
	if c.Plain() && resp.StatusCode == http.StatusBadRequest && strings.Contains(said, "HTTPS") {
		said += ": use https:// in the server URL"
	}
	return &StatusError{
		Op: op, StatusCode: resp.StatusCode, BodySent: bodySent,
		Message: said, Location: plain.Line(c.value(resp, "Location")),
	}
}

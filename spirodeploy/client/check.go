package client

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/peer"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// Check asks the server whether the token is valid. It says nothing of
// projects. The error is a [StatusError], [AnswerError] or [TransportError].
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
		err = c.failure(ctx, err)
		switch {
		case peer.IsCut(err) && peer.OfProxy(err): // which is nothing that the server URL could help
		case peer.IsCut(err) && c.address != "" && c.Plain():
			err = fmt.Errorf("%w; if it speaks TLS, use https:// in the server URL", err)
		case peer.IsCut(err) && c.address != "":
			err = fmt.Errorf("%w; %s", err, plainURL)
		case peer.IsCut(err) && c.Plain():
			err = fmt.Errorf("%w: if the server speaks TLS on this port, use https:// in the server URL", err)
		case peer.IsCut(err):
			err = fmt.Errorf("%w: %s; %s", err, checkURL, plainURL)
		}
		return &TransportError{Op: op, Err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return c.statusError(op, resp, false)
	}
	said, err := c.message(resp.Body)
	if err == nil && said != "Auth OK" {
		err = ctx.Err() // it may have come to an end only since nobody waits any more
	}
	if err != nil {
		return &TransportError{Op: op, Err: c.failure(ctx, err)}
	}
	if said != "Auth OK" {
		return &AnswerError{Op: op, Problem: fmt.Sprintf("the answer is not SpiroFS's \"Auth OK\" but %q: check the server URL", said)}
	}
	return nil
}

// silence says that nothing was said for some time, and by whom.
func (c *Client) silence(limit time.Duration) error {
	who := "the server"
	if c.proxied() {
		who = "the server, or the proxy on the way,"
	}
	return fmt.Errorf("%s took the connection, and did not answer within %s", who, limit)
}

// opaque reports whether the token cannot be read.
func (c *Client) opaque() bool {
	_, err := c.token.Rights()
	return err != nil
}

func (c *Client) request(ctx context.Context, method string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.server.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	req.Header.Set("User-Agent", "spirodeploy")
	req.Close = true // net/http would send a body that the server has already refused, to keep the connection
	return req, nil
}

func (c *Client) statusError(op string, resp *http.Response, bodySent bool) *StatusError {
	said, _ := c.message(resp.Body) // the status says enough
	// Tornado's page repeats the status.
	said = strings.TrimPrefix(said, fmt.Sprintf("%d: %s", resp.StatusCode, http.StatusText(resp.StatusCode)))
	if resp.Header.Get("Location") != "" {
		said = "" // that says so, too
	}
	help := ""
	switch {
	case c.Plain() && resp.StatusCode == http.StatusBadRequest && strings.Contains(said, "HTTPS"):
		help = "use https:// in the server URL"
	case resp.StatusCode == http.StatusUnauthorized && c.opaque():
		help = "the token is not valid here, and none that SpiroFS makes (it is no macaroon): it may not have been copied whole"
	}
	return &StatusError{
		Op: op, StatusCode: resp.StatusCode, BodySent: bodySent,
		Help: help, Message: said, Location: sanitize.Line(c.value(resp, "Location")),
	}
}

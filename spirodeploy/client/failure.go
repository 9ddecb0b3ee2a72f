package client

import (
	"context"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/peer"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// failure is what ended a request, in our words.
type failure struct {
	text string
	err  error // nil where its own words have the token in them
}

func (f *failure) Error() string { return f.text }

func (f *failure) Unwrap() error { return f.err }

// failure returns why there was no answer, and what helps: the context's own
// reason, where that ended it. What it says cannot have the token in it.
func (c *Client) failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctxio.Reason(ctx)
	}
	text, help := c.serverPeer().Explain(err)
	if help != "" {
		text += ": " + help
	}
	f := &failure{text: sanitize.Line(c.token.Redact(text)), err: err}
	if raw := err.Error(); c.token.Redact(raw) != raw {
		f.err = nil
	}
	return f
}

const (
	checkServer = "check the server URL"
	checkURL    = "check host and port of the server URL"
	plainURL    = "if it is meant to speak plain HTTP, use http:// in the server URL, and --insecure"
)

func (c *Client) serverPeer() peer.Peer {
	p := peer.Peer{
		Who: "the server", CheckAddr: checkURL, CheckName: checkServer, CheckURL: checkServer, Runs: ", and that SpiroFS runs in the Salt master",
		Plain: plainURL, Trust: "--ssl-cert", OwnTrust: c.ownTrust, Patience: c.connectTimeout, Other: explainHTTP,
	}
	if c.server.String() == DefaultServer && c.address == "" {
		p.CheckName = "that is the default: SPIRO_URL or --server names another"
	}
	if c.address != "" {
		p.CheckAddr = "connections go to " + c.address + " in place of the server's host: check that a server listens there, and behind it if it leads on as a tunnel or service does"
		p.Cut = p.CheckAddr
	}
	return p
}

// explainHTTP puts into other words what net/http says in ones of its own.
func explainHTTP(text string, p peer.Peer) (what, help string) {
	text = strings.TrimPrefix(text, "net/http: HTTP/1.x transport connection broken: ")
	switch {
	case strings.Contains(text, "response headers exceeded"):
		return "the header of the answer is larger than " + sizeText(maxHeader) + ", as none of SpiroFS is", p.CheckAddr
	case strings.Contains(text, "too many 1xx"):
		return "the server sends interim answers and never a final one, as SpiroFS never does", p.CheckAddr
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME header"):
		return "the answer is not HTTP (" + text + ")", p.CheckAddr
	case strings.Contains(text, "chunk"), strings.Contains(text, "Content-Length"):
		return "the answer is garbled (" + strings.TrimPrefix(text, "http: ") + ")", ""
	}
	return text, ""
}

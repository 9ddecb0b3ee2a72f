package client

import (
	"context"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/peer"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// failure is an error of the network in plain words.
type failure struct {
	why  string
	help fault.Hint
	err  error // nil if its text contains the token
}

func (f *failure) Error() string { return f.Explain().String() }

func (f *failure) Explain() fault.Parts { return fault.Parts{Why: f.why, Help: f.help} }

func (f *failure) Unwrap() error { return f.err }

// also adds a hint.
func (f *failure) also(help fault.Hint) {
	if f.help != "" {
		help = f.help + "; " + help
	}
	f.help = help
}

// failure returns an error that explains err, or the reason of the context if it has
// ended. Its text never contains the token.
func (c *Client) failure(ctx context.Context, err error, more ...func(*failure)) error {
	if ctx.Err() != nil {
		return ctxio.Reason(ctx)
	}
	f := &failure{err: err}
	f.why, f.help = c.serverPeer().Explain(err)
	for _, add := range more {
		add(f)
	}
	f.why, f.help = sanitize.Line(c.token.Redact(f.why)), fault.Hint(sanitize.Line(c.token.Redact(string(f.help))))
	if raw := err.Error(); c.token.Redact(raw) != raw {
		f.err = nil
	}
	return f
}

const (
	checkServer fault.Hint = "check the server URL"
	checkURL    fault.Hint = "check host and port of the server URL"
	plainURL    fault.Hint = "use http:// in the server URL and {insecure} if it is meant to speak plain HTTP"
)

// serverPeer returns the server with the hints for connections that fail.
func (c *Client) serverPeer() peer.Peer {
	p := peer.Peer{
		Who: "the server", CheckAddr: checkURL, CheckName: checkServer, CheckURL: checkServer, Runs: ", and that SpiroFS runs in the Salt master",
		Plain: plainURL, Trust: fault.SSLCert, OwnTrust: c.ownTrust, Patience: c.connectTimeout, Other: explainHTTP,
	}
	if c.server.String() == DefaultServer && c.address == "" {
		p.CheckName = "name your server with {server}: that was the default"
	}
	if c.address != "" {
		p.CheckAddr = "connections go to " + fault.Hint(fault.Literal(c.address)) + " instead of the server's host: check that a server listens there, and behind it if it is a tunnel or service"
		p.Cut = p.CheckAddr
	}
	return p
}

// explainHTTP explains an error that net/http makes only as text.
func explainHTTP(text string, p peer.Peer) (why string, help fault.Hint) {
	text = strings.TrimPrefix(text, "net/http: HTTP/1.x transport connection broken: ")
	switch {
	case strings.Contains(text, "response headers exceeded"):
		return "the header of the answer is larger than " + sizeText(peer.MaxHeader) + ", so it did not come from SpiroFS", p.CheckAddr
	case strings.Contains(text, "too many 1xx"):
		return "the server sends interim answers but no final one, which SpiroFS never does", p.CheckAddr
	case strings.Contains(text, "malformed HTTP"), strings.Contains(text, "malformed MIME header"):
		return "the answer is not HTTP (" + text + ")", p.CheckAddr
	case strings.Contains(text, "chunk"), strings.Contains(text, "Content-Length"):
		return "the answer is garbled (" + strings.TrimPrefix(text, "http: ") + ")", ""
	}
	return text, ""
}

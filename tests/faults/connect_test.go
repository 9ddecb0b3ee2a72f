package faults_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// soon is a limit for waiting that the client must hit.
var soon = pace.Soon()

// connecting are the faults that keep a client from the server.
var connecting = []fault{
	{name: "nothing listens there", breaks: func(s *scene) {
		s.opts.Server.Address = "127.0.0.1:1" // a port that was free a moment ago may be another test's now
	}},
	{name: "a host name that nobody knows", breaks: func(s *scene) {
		// Too long for a label (RFC 1035), so no DNS is asked.
		s.opts.Server.Address = strings.Repeat("x", 64) + ":4510"
	}},
	{name: "a firewall drops the connection", breaks: func(s *scene) {
		s.opts.Server.Address = deaf(s.t)
		s.opts.Server.ConnectTimeout = soon
	}},
	{name: "the TLS handshake stalls", over: "https", breaks: func(s *scene) {
		s.link().toxic("timeout", "downstream", nil)
		s.opts.Server.ConnectTimeout = soon
	}},
	{name: "the connection is taken and closed", over: "https", breaks: func(s *scene) {
		s.opts.Server.Address = accept(s.t, func(net.Conn) {})
	}},
	{name: "the connection is taken and closed, with plain HTTP", over: "http", breaks: func(s *scene) {
		s.opts.Server.Address = accept(s.t, func(net.Conn) {})
	}},
	{name: "the server takes the connection and says nothing", breaks: func(s *scene) {
		s.handle(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		s.opts.Server.AnswerTimeout, s.opts.Server.ConnectTimeout = soon, soon
	}},
	{name: "the server stops in the middle of its answer", breaks: func(s *scene) {
		s.handle(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "Auth")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		s.opts.Server.AnswerTimeout, s.opts.Server.ConnectTimeout = soon, soon
	}},
	{name: "what answers is no HTTP", breaks: func(s *scene) {
		s.connect(accept(s.t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1<<10))
			_, _ = io.WriteString(conn, "220 mail.example.com ESMTP\r\n")
		}))
	}},
	{name: "what answers is another web site", breaks: func(s *scene) {
		s.handle(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<html><title>Welcome</title><body>Hello</body></html>")
		})
	}},
	{name: "it redirects", breaks: func(s *scene) {
		s.handle(http.RedirectHandler("https://salt.example.com/deploy", http.StatusMovedPermanently).ServeHTTP)
	}},
	{name: "there is no such page", breaks: func(s *scene) { s.handle(http.NotFound) }},
	{name: "a proxy (`HTTPS_PROXY`) cannot be reached", over: "https", breaks: func(s *scene) {
		l := listen(s.t)
		_ = l.Close()
		s.by(l.Addr().String())
	}},
	{name: "a proxy (`HTTPS_PROXY`) forbids it", over: "https", breaks: func(s *scene) {
		s.by(serve(s.t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })))
	}},
	{name: "a proxy (`HTTPS_PROXY`) wants a password", over: "https", breaks: func(s *scene) {
		s.by(serve(s.t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) })))
	}},
	{name: "a proxy (`HTTPS_PROXY`) does not reach the server", over: "https", breaks: func(s *scene) {
		s.by(serve(s.t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })))
	}},
	{name: "a proxy on the way (502)", breaks: func(s *scene) {
		s.handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	}},
	{name: "`--timeout` passes before the upload", breaks: func(s *scene) {
		s.at(report.Checking, func() { s.cancel(report.ErrTimeout) })
	}},
	{name: "Ctrl-C before the upload", breaks: func(s *scene) {
		s.at(report.Checking, func() { s.cancel(report.ErrInterrupted) })
	}},
	{name: "Ctrl-C while the tree is read", breaks: func(s *scene) {
		s.at(report.Bundling, func() { s.cancel(report.ErrInterrupted) })
	}},
}

// by leads connections through a proxy.
func (s *scene) by(proxy string) {
	s.opts.Server.Address = ""
	s.opts.Server.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("http://" + proxy) }
}

// tokens are the faults of a token.
var tokens = []fault{
	{name: "it has expired", breaks: func(s *scene) { s.secret(s.server.Token(-time.Hour, "shop")) }},
	{name: "it has expired, by less than clocks differ", breaks: func(s *scene) { s.secret(s.server.Token(-time.Minute, "shop")) }},
	{name: "it is not valid yet", breaks: func(s *scene) {
		tok, err := salt.Narrow(s.opts.Server.Token, map[string]any{"not_before": time.Now().Add(time.Hour).Unix()})
		if err != nil {
			s.t.Fatal(err)
		}
		s.opts.Server.Token = tok
	}},
	{name: "it is for another project", breaks: func(s *scene) { s.secret(s.server.Token(time.Hour, "blog")) }},
	{name: "it is another server's, or none at all", breaks: func(s *scene) { s.secret("no-token-of-this-server") }},
}

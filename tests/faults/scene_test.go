package faults_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// serverName is the server's name. Connections to it go to the scene's server.
const serverName = "salt"

// scene is a deployment that a fault will break. It succeeds if nothing changes it:
//
//	client ─ [toxiproxy] ─ [TLS] ─ spirotest, or a handler of the test's own
type scene struct {
	t      *testing.T
	scheme string
	ctx    context.Context //nolint:containedctx // that of the run to come
	cancel context.CancelCauseFunc
	dir    string // project directory
	opts   spirodeploy.Options
	server *spirotest.Server
	cert   certificate // what the server shows
	hooks  map[report.Stage]func()
	// awaited is the event that ends the run, and reason why.
	awaited string
	reason  error
	others  atomic.Int32 // requests with a bundle that went to a handler
	// command runs in place of the library's Deploy.
	command func(*scene) outcome
	local   bool // the run deploys nothing
}

// sleeper is a minion that is asleep while its highstate is awaited.
var sleeper = spirotest.Minion{ID: "web1", Delay: time.Hour}

func newScene(t *testing.T, scheme string) *scene {
	t.Helper()
	s := &scene{t: t, scheme: scheme, dir: t.TempDir(), hooks: map[report.Stage]func(){}}
	s.ctx, s.cancel = context.WithCancelCause(t.Context())
	t.Cleanup(func() { s.cancel(nil) })
	s.file("_salt/spirotop.sls", "prod:\n  '*': [web]\n")
	s.file("_salt/web.sls", "hello:\n  test.nop: []\n")
	s.opts = spirodeploy.Options{
		Project: "shop", Deployment: "prod", Bundle: bundle.Options{Dir: s.dir}, Spell: asFlag,
		Server: client.Options{Server: scheme + "://" + serverName + ":4510/", Insecure: scheme == "http"},
		Watch: func(u report.Update) {
			if hook := s.hooks[u.Stage]; u.Kind == report.Began && hook != nil {
				hook()
			}
			if u.Kind == report.Happened && u.Event.Name == s.awaited {
				s.cancel(s.reason)
			}
		},
	}
	s.serve(spirotest.Minion{ID: "web1"})
	return s
}

// file writes a file of the project.
func (s *scene) file(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// large adds a file of that size to the project.
func (s *scene) large(name string, size int64) {
	s.t.Helper()
	s.file(name, "")
	if err := os.Truncate(filepath.Join(s.dir, filepath.FromSlash(name)), size); err != nil {
		s.t.Fatal(err)
	}
}

// at does something when a stage begins.
func (s *scene) at(stage report.Stage, f func()) { s.hooks[stage] = f }

// serve makes spirotest the server, with some minions.
func (s *scene) serve(minions ...spirotest.Minion) {
	s.t.Helper()
	s.server = spirotest.New(s.t, spirotest.Options{Minions: minions})
	s.secret(s.server.Token(time.Hour, "shop"))
	s.connect(hostOf(s.server.URL()))
}

func (s *scene) secret(secret string) {
	s.t.Helper()
	tok, err := token.Parse(secret)
	if err != nil {
		s.t.Fatal(err)
	}
	s.opts.Server.Token = tok
}

// connect leads connections to a plain server, through TLS if the scene has it.
func (s *scene) connect(addr string) {
	s.t.Helper()
	if s.scheme == "https" {
		s.show(selfSigned(serverName), addr)
		return
	}
	s.opts.Server.Address = addr
}

// show makes the server show a certificate, which the client trusts.
func (s *scene) show(cert certificate, addr string) {
	s.t.Helper()
	s.cert = cert
	s.opts.Server.Address = front(s.t, cert.config(), addr)
	s.opts.Server.Certificate = cert.pem
}

// answer makes a handler of the test's own the server for deployments.
func (s *scene) answer(post http.HandlerFunc) {
	s.t.Helper()
	s.handle(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, "Auth OK")
			return
		}
		post(w, r)
	})
}

// handle makes a handler of the test's own the server.
func (s *scene) handle(handler http.HandlerFunc) {
	s.t.Helper()
	s.connect(serve(s.t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			s.others.Add(1)
		}
		handler(w, r)
	})))
}

// serve serves a handler for the time of a test.
func serve(t *testing.T, handler http.Handler) (addr string) {
	t.Helper()
	l := listen(t)
	server := &http.Server{Handler: handler, ErrorLog: quiet, ReadHeaderTimeout: pace.Hang}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// posts returns how many requests with a bundle reached a server.
func (s *scene) posts() int {
	n := int(s.others.Load())
	for _, r := range s.server.Requests() {
		if r.Method == http.MethodPost {
			n++
		}
	}
	return n
}

// link puts a proxy before the server, which can misbehave.
func (s *scene) link() *link {
	s.t.Helper()
	log := zerolog.Nop()
	world := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), log)
	proxy := toxiproxy.NewProxy(world, s.t.Name(), "127.0.0.1:0", s.opts.Server.Address)
	if err := proxy.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(proxy.Stop)
	s.opts.Server.Address = proxy.Listen
	return &link{s.t, proxy}
}

type link struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// toxic adds a toxic of toxiproxy to the link.
func (l *link) toxic(kind, stream string, attributes map[string]any) {
	l.t.Helper()
	spec, err := json.Marshal(map[string]any{"type": kind, "stream": stream, "attributes": attributes})
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(spec)); err != nil {
		l.t.Error(err)
	}
}

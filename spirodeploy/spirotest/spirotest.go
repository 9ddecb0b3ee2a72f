package spirotest

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spirostack/spirodeploy/internal/certificate"
)

// The request sizes that SpiroFS 0.3 takes: Tornado's default for plain HTTP,
// and what SpiroFS sets for TLS.
const (
	maxBodyPlain = 100 << 20
	maxBodyTLS   = 10 << 30
)

// Options configures a [Server]. The zero value serves plain HTTP on a free
// port of the loopback interface and has no minions.
type Options struct {
	// Addr is the TCP address to listen on, "host:port". The default is
	// "127.0.0.1:0", port 0 being any free one.
	Addr string

	// TLS serves HTTPS with a certificate made at the start: self-signed, for
	// localhost, 127.0.0.1 and ::1. See [Server.CertPEM].
	TLS bool

	// Minions are those of the first deployments; see [Server.SetMinions].
	Minions []Minion

	// MaxBody is the largest request body in bytes; a larger one resets the
	// connection with no answer. The default is that of SpiroFS 0.3: 100 MiB
	// on plain HTTP, 10 GiB with TLS.
	MaxBody int64

	// Key is the root key of its tokens; the default is a random one. Servers with
	// one key take each other's tokens.
	Key []byte

	// Discard reads bundles and forgets them, for benchmarks of clients:
	// nothing is checked or deployed, no minion is concerned.
	Discard bool
}

// Server is a running deploy server. Its methods may be called from several
// goroutines at once.
type Server struct {
	options Options
	dir     string // holds all that the server writes
	key     []byte // root key of the tokens
	certPEM []byte
	url     string
	stop    func() error // ends the server and removes dir

	mu          sync.Mutex
	minions     []Minion
	replay      []byte
	requests    []*Request
	deployments map[string]*Deployment // by saltenv
}

// TB is the part of testing.TB that [New] uses.
type TB interface {
	Helper()
	Fatal(args ...any)
	Cleanup(func())
}

// New starts a server for the time of a test: it is closed when tb ends, and
// tb fails if it does not start.
func New(tb TB, options Options) *Server {
	tb.Helper()
	s, err := Start(options)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// Start starts a server. The caller must Close it. It fails if it cannot
// listen on the address or make a temporary directory.
func Start(options Options) (*Server, error) {
	most := int64(maxBodyPlain)
	if options.TLS {
		most = maxBodyTLS
	}
	options.MaxBody, options.Addr = cmp.Or(options.MaxBody, most), cmp.Or(options.Addr, "127.0.0.1:0")
	s := &Server{
		options:     options,
		key:         slices.Clone(options.Key),
		minions:     slices.Clone(options.Minions),
		deployments: map[string]*Deployment{},
	}
	if len(s.key) == 0 {
		s.key = []byte(rand.Text() + rand.Text())
	}
	listener, err := net.Listen("tcp", options.Addr) //nolint:noctx // it takes no time
	if err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	scheme := "http://"
	if options.TLS {
		scheme = "https://"
		var cert tls.Certificate
		cert, s.certPEM, err = certificate.SelfSigned("spirotest")
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert}})
	}
	s.url = scheme + reachable(listener.Addr()) + "/"
	if err == nil {
		s.dir, err = os.MkdirTemp("", "spirotest-")
	}
	if err != nil {
		_ = listener.Close()
		return nil, fmt.Errorf("start server: %w", err)
	}
	s.serve(listener)
	return s, nil
}

// reachable is the address that a client on this machine dials.
func reachable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return addr.String()
}

func (s *Server) serve(listener net.Listener) {
	ctx, cancel := context.WithCancel(context.Background()) // ends the waiting for minions
	// Tornado speaks nothing newer than HTTP/1.1.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	var open sync.WaitGroup // the listener and connections
	server := &http.Server{
		Handler:     http.HandlerFunc(s.handle),
		Protocols:   protocols,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed:
				open.Done()
			}
		},
		// Clients that break off are a part of tests, and no news for stderr.
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: time.Minute,
	}
	open.Go(func() {
		_ = server.Serve(listener)
		_ = server.Close() // one more may have been accepted while the other Close went on
	})
	s.stop = sync.OnceValue(func() error {
		cancel()
		_ = server.Close()
		open.Wait()
		if err := os.RemoveAll(s.dir); err != nil {
			return fmt.Errorf("close server: %w", err)
		}
		return nil
	})
}

// URL is the base URL, "http://127.0.0.1:PORT/", or "https://…" with TLS.
func (s *Server) URL() string { return s.url }

// CertPEM is the certificate for a client to trust, in PEM, or nil without
// TLS.
func (s *Server) CertPEM() []byte { return slices.Clone(s.certPEM) }

// SetMinions replaces the minions for the deployments that come later.
func (s *Server) SetMinions(minions ...Minion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.minions = slices.Clone(minions)
}

// Replay makes the server answer with stream, byte for byte, every POST that
// it accepts from now on: an event stream recorded elsewhere, or one cut off
// in the middle. Tokens, forms and bundles are handled as ever; only what the
// client hears is replaced. Replay(nil) ends it.
func (s *Server) Replay(stream []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replay = slices.Clone(stream)
}

// Deployment is the newest deployment of that name to have been swapped in.
// It returns false if there is none.
func (s *Server) Deployment(project, deployment string) (*Deployment, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.deployments[project+"/"+deployment]
	if !ok {
		return nil, false
	}
	newest := *d
	return &newest, true
}

// Close ends the server: streams in flight are cut, connections closed, files
// removed, those of every [Deployment] among them. It returns when no
// goroutine of the server is left. The error is that of removing the files.
func (s *Server) Close() error { return s.stop() }

package example

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// The server that the docs name.
const (
	host = "salt.example.com"
	// URL is the server's URL for clients that use the proxy.
	URL = "https://" + host + ":4510/"
)

// Server is a [spirotest.Server] that clients reach as [URL], through a proxy that knows
// no other host.
type Server struct {
	*spirotest.Server
	proxy net.Listener
	cert  string // file with the certificate
}

// Start starts a server whose minions return what Salt returned for examples/shop. As in
// the demo, web2 can fail. Start writes the certificate to dir.
func Start(dir string, fail bool) (*Server, error) {
	minions, err := play(fail)
	if err != nil {
		return nil, err
	}
	certificate, err := certify(dir)
	if err != nil {
		return nil, err
	}
	s := &Server{cert: filepath.Join(dir, certName)}
	if s.Server, err = spirotest.Start(spirotest.Options{Minions: minions}); err != nil {
		return nil, err
	}
	u, err := url.Parse(s.URL())
	if err == nil {
		s.proxy, err = listen(u.Host, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	}
	if err != nil {
		return nil, errors.Join(err, s.Server.Close())
	}
	return s, nil
}

// Environ returns the variables with which a shell reaches the server and trusts it.
// (SSL_CERT_FILE works on Linux.)
func (s *Server) Environ() []string {
	return []string{
		"SPIRO_URL=" + URL, "SPIRO_TOKEN=" + s.Token(time.Hour, "shop"),
		"HTTPS_PROXY=http://" + s.proxy.Addr().String(), "NO_PROXY=", "no_proxy=", "SSL_CERT_FILE=" + s.cert,
	}
}

// Close stops the server and its proxy.
func (s *Server) Close() error { return errors.Join(s.proxy.Close(), s.Server.Close()) }

// play returns the minions of the demo, with their results.
func play(fail bool) ([]spirotest.Minion, error) {
	results := map[string]string{"web1": "web1", "web2": "web2", "db1": "db1"}
	if fail {
		results["web2"] = "web2-failed"
	}
	var minions []spirotest.Minion
	for _, id := range []string{"web1", "db1", "web2"} {
		result, err := os.ReadFile(filepath.Join(Root, "internal", "dev", "demo", "minions", results[id]+".json"))
		if err != nil {
			return nil, err
		}
		delay := time.Duration(4+len(minions)) * 300 * time.Millisecond // as long as their states took
		minions = append(minions, spirotest.Minion{ID: id, Result: json.RawMessage(result), Delay: delay})
	}
	return minions, nil
}

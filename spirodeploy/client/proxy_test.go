package client_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// certified returns a configuration with a certificate, and the certificate in PEM.
func certified(t *testing.T, template x509.Certificate) (*tls.Config, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(1), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestProxyFails checks that errors blame the proxy, not the server, if the proxy fails.
func TestProxyFails(t *testing.T) {
	t.Parallel()
	good, pem := certified(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	stranger, _ := certified(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	says := func(answer string) func(raw, conn net.Conn) {
		return func(_, conn net.Conn) {
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, answer)
		}
	}
	thenPlain := func(_, conn net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		_, _ = conn.Read(make([]byte, 1<<10))
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
	}
	socks := func(_, conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1<<10))
		_, _ = io.WriteString(conn, "garbage")
	}
	socksThenCut := func(_, conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1<<10)) // the methods of authentication
		_, _ = io.WriteString(conn, "\x05\x00")
		_, _ = conn.Read(make([]byte, 1<<10)) // the address
		_, _ = io.WriteString(conn, "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
		_, _ = conn.Read(make([]byte, 1<<10)) // the request
	}
	socksSays := func(method, answer byte) func(_, conn net.Conn) {
		return func(_, conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1<<10)) // the methods of authentication
			_, _ = conn.Write([]byte{5, method})
			if method == 2 { // user name and password
				_, _ = conn.Read(make([]byte, 1<<10))
				_, _ = conn.Write([]byte{1, answer})
				return
			}
			_, _ = conn.Read(make([]byte, 1<<10)) // the address
			_, _ = conn.Write([]byte{5, answer, 0, 1, 0, 0, 0, 0, 0, 0})
		}
	}
	const unreached = "check token: the proxy could not reach the server: it answers "
	for name, tt := range map[string]struct {
		server string
		config *tls.Config // of the proxy
		scheme string      // of the proxy's URL; default: the one it speaks
		serve  func(raw, conn net.Conn)
		want   []string
	}{
		"garbage":               {"https://salt.example", nil, "", says("220 mail.example ESMTP\r\n\r\n"), []string{"the proxy cannot be used: the answer is not HTTP", "HTTPS_PROXY"}},
		"cut":                   {"https://salt.example", nil, "", says(""), []string{"the proxy cannot be used: the connection was cut", "HTTPS_PROXY"}},
		"refuses":               {"https://salt.example", nil, "", says("HTTP/1.1 403 Forbidden\r\n\r\n"), []string{"the proxy cannot be used: it answers 403 Forbidden"}},
		"wants a password":      {"https://salt.example", nil, "", says("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), []string{"the proxy cannot be used: it answers 407", "add user name and password to the proxy's URL"}},
		"reaches nobody":        {"https://salt.example", nil, "", says("HTTP/1.1 503 Service Unavailable\r\n\r\n"), []string{unreached + "503 Service Unavailable: check host and port of the server URL", "HTTPS_PROXY"}},
		"SOCKS reaches nobody":  {"https://salt.example", nil, "socks5", socksSays(0, 5), []string{unreached + `"connection refused": check host and port of the server URL`, "HTTPS_PROXY"}},
		"SOCKS forbids it":      {"http://salt.example", nil, "socks5", socksSays(0, 2), []string{`the proxy cannot be used: it answers "connection not allowed by ruleset"`}},
		"SOCKS wants more":      {"http://salt.example", nil, "socks5", socksSays(255, 0), []string{"the proxy cannot be used: it does not let everybody in"}},
		"SOCKS, wrong password": {"http://salt.example", nil, "socks5", socksSays(2, 1), []string{"the proxy cannot be used: it does not accept user name and password"}},
		"SOCKS, but it is not":  {"http://salt.example", nil, "socks5", socks, []string{"the proxy cannot be used: it does not speak SOCKS 5"}},
		"garbage, plain server": {"http://salt.example", nil, "", says("220 mail.example ESMTP\r\n\r\n"), []string{"the proxy cannot be used: the answer is not HTTP"}},
		"cut, plain server":     {"http://salt.example", nil, "", says(""), []string{"the proxy cannot be used: the connection was cut"}},
		"TLS, not trusted":      {"https://salt.example", stranger, "", says(""), []string{"the proxy cannot be used: the proxy's certificate is signed by an unknown authority", "client.Options.Certificate"}},
		"TLS, trusted, cut":     {"https://salt.example", good, "", says(""), []string{"the proxy cannot be used: the connection was cut"}},
		"speaks no TLS":         {"https://salt.example", nil, "https", says("HTTP/1.1 400 Bad Request\r\n\r\n"), []string{"the proxy cannot be used: the proxy does not speak TLS", "begin its URL with http://"}},
		"the server cuts":       {"https://salt.example", nil, "", says("HTTP/1.1 200 OK\r\n\r\n"), []string{"check token: the connection was cut"}},
		"the server, no TLS":    {"https://salt.example", nil, "", thenPlain, []string{"check token: the server does not speak TLS"}},
		"SOCKS":                 {"https://salt.example", nil, "socks5", socks, []string{"the proxy cannot be used: "}},
		"SOCKS, plain server":   {"http://salt.example", nil, "socks5", socks, []string{"the proxy cannot be used: "}},
		"SOCKS, cut":            {"https://salt.example", nil, "socks5", socksThenCut, []string{"check token: the connection was cut"}},
		"SOCKS, plain, cut":     {"http://salt.example", nil, "socks5", socksThenCut, []string{"check token: the connection was cut"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, err := url.Parse(serveRaw(t, tt.config, tt.serve))
			if err != nil {
				t.Fatal(err)
			}
			if tt.scheme != "" {
				proxy.Scheme = tt.scheme
			}
			proxy.User = url.UserPassword("me", "a-password-of-a-proxy")
			c := newClient(t, tt.server, "a-token-of-some-length", func(o *client.Options) {
				o.Proxy = http.ProxyURL(proxy)
				if strings.HasPrefix(tt.server, "https:") {
					o.Certificate = pem
				}
			})
			err = c.Check(t.Context())
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
			if err != nil && strings.Contains(err.Error(), "a-password-of-a-proxy") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}

// TestCertificates explains certificates that Go refuses for surprising reasons.
func TestCertificates(t *testing.T) {
	t.Parallel()
	asDNS, asDNSpem := certified(t, x509.Certificate{DNSNames: []string{"127.0.0.1"}})
	negative, _ := certified(t, x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	der := negative.Certificates[0].Certificate[0]
	// The serial number, 1, is the first INTEGER after the version.
	at := strings.Index(string(der), "\x02\x01\x02\x02\x01\x01")
	if at < 0 {
		t.Fatal("the certificate is not as expected")
	}
	der[at+5] = 0xff
	for name, tt := range map[string]struct {
		config *tls.Config
		trust  []byte
		want   string
	}{
		"an address as a DNS name": {asDNS, asDNSpem, "the server's certificate has the IP address 127.0.0.1 as a DNS name"},
		"a negative serial number": {negative, nil, "the server's certificate is malformed (negative serial number): issue a new one"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serveRaw(t, tt.config, func(_, conn net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(conn)) })
			err := newClient(t, server, "a-token-of-some-length", func(o *client.Options) { o.Certificate = tt.trust }).Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// authOK answers a request as SpiroFS does.
func authOK(_, conn net.Conn) {
	_, _ = http.ReadRequest(bufio.NewReader(conn))
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nAuth OK")
}

// TestName checks the certificate of a server whose name is not ASCII: only the given one is
// trusted, not those of the system as well.
func TestName(t *testing.T) {
	const child = "SPIRODEPLOY_TEST_NAME"
	if os.Getenv(child) == "" { // the system's certificates are read once in a process
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestName$", "-test.count=1")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	names := x509.Certificate{DNSNames: []string{"xn--bcher-kva.example", "salt.example"}}
	config, own := certified(t, names)
	_, other := certified(t, names)
	system := filepath.Join(t.TempDir(), "system.pem")
	if err := os.WriteFile(system, own, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", system)
	server := strings.TrimPrefix(serveRaw(t, config, authOK), "https://")
	tunnel, err := url.Parse(serveRaw(t, nil, func(_, conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		to, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer to.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(to, conn) }()
		_, _ = io.Copy(conn, to)
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bücher.example", "salt.example"} {
		for way, direct := range map[string]bool{"direct": true, "through a proxy": false} {
			check := func(certificate []byte) error {
				return newClient(t, "https://"+name, "a-token-of-some-length", func(o *client.Options) {
					if o.Certificate = certificate; direct {
						o.Address = server
					} else {
						o.Proxy = http.ProxyURL(tunnel)
					}
				}).Check(t.Context())
			}
			if err := check(own); err != nil {
				t.Errorf("%s, %s: %v", name, way, err)
			}
			if err := check(other); err == nil || !strings.Contains(err.Error(), "is neither the trusted one nor signed by it") {
				t.Errorf("%s, %s: another certificate is trusted: %v", name, way, err)
			}
		}
	}
}

// TestZone checks that the zone of an address is not part of the name in a certificate.
func TestZone(t *testing.T) {
	t.Parallel()
	config, pem := certified(t, x509.Certificate{IPAddresses: []net.IP{net.IPv6loopback}})
	server := serveRaw(t, config, authOK)
	for name, o := range map[string]client.Options{
		"with a zone": {Server: "https://[::1%25lo]:4510/"}, "without": {Server: "https://[::1]:4510/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, o.Server, "a-token-of-some-length", func(o *client.Options) {
				o.Certificate, o.Address = pem, strings.TrimPrefix(server, "https://")
			})
			if err := c.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

package leak_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// TestHostilePrograms: whatever a server repeats, the command and mage do not repeat it.
func TestHostilePrograms(t *testing.T) {
	t.Parallel()
	for n, f := range fronts[:2] {
		for k, kind := range slices.Sorted(maps.Keys(tokens)) {
			issue := tokens[kind]
			for i, tt := range hostile {
				if (n+k+i)%3 > 0 {
					continue // the library sees all kinds of tokens; here, each has its turn
				}
				t.Run(strings.Join([]string{f.name, kind, tt.name}, "/"), func(t *testing.T) {
					t.Parallel()
					server := newEcho(t, tt.get, tt.post)
					secret := issue(t)
					secrets := sent(t, secret)
					cert := filepath.Join(t.TempDir(), "cert.pem")
					write(t, cert, string(server.pem()))
					flags := map[string]string{"server": server.URL, "sslCert": cert, "report": strings.Join(reportFlags("."), ",")}
					env := give(t, flags, ways[i%2], secret)
					j := f.job(t, "deploy", []string{"shop", "prod"}, flags)
					j.env, j.secrets = append(j.env, env...), secrets
					r := j.run(t)
					server.got(t, "GET", secrets)
					if tt.name == "good" {
						r.want(t, 0, "Success", secrets...)
					}
				})
			}
		}
	}
}

// certificate makes a certificate for these hosts, with the token in every text.
func certificate(t *testing.T, secret string, hosts ...string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	name := pkix.Name{CommonName: secret, Organization: []string{secret}, OrganizationalUnit: []string{secret}}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: name, Issuer: name, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestCertificates: errors do not repeat the token in a certificate.
func TestCertificates(t *testing.T) {
	t.Parallel()
	for kind, issue := range tokens {
		for name, hosts := range map[string][]string{"no host": nil, "other hosts": {"T", "T.example.org", "x"}, "one host": {"T"}} {
			for _, trusted := range []bool{true, false} {
				for _, front := range []string{"library", "command"} {
					if kind == "awkward" && hosts != nil {
						continue // no host has such a name
					}
					t.Run(strings.Join([]string{kind, name, front, map[bool]string{true: "trusted", false: "unknown"}[trusted]}, "/"), func(t *testing.T) {
						t.Parallel()
						secret := issue(t)
						var names []string
						for _, h := range hosts {
							names = append(names, strings.ReplaceAll(h, "T", secret))
						}
						cert, pem := certificate(t, secret, names...)
						if !trusted {
							_, pem = certificate(t, secret, "127.0.0.1")
						}
						server := eager(t, cert, "")
						if front == "library" {
							opts := order(t, server, pem, secret)
							clean(t, "the library", newSearch(sent(t, secret)...), deploy(t, opts))
							deployModule(t, opts, sent(t, secret))
							return
						}
						file := filepath.Join(t.TempDir(), "cert.pem")
						write(t, file, string(pem))
						j := fronts[0].job(t, "deploy", []string{"shop", "prod"}, map[string]string{"server": server, "sslCert": file, "report": "json=report.json"})
						j.env, j.secrets, j.known = []string{"SPIRO_TOKEN=" + secret}, sent(t, secret), nil
						j.run(t).want(t, 5, "certificate", j.secrets...)
					})
				}
			}
		}
	}
}

// eager starts a server with TLS that speaks at once when a client connects, before the
// request, and closes the connection. It returns the URL.
func eager(t *testing.T, cert tls.Certificate, says string) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				_, _ = io.WriteString(conn, says)
				_ = conn.SetReadDeadline(time.Now().Add(pace.Hang))
				_, _ = conn.Read(make([]byte, 1<<10))
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return "https://" + l.Addr().String() + "/"
}

// TestEager: net/http itself logs an answer that comes before the request. The server
// knows the token from an earlier request.
func TestEager(t *testing.T) {
	t.Parallel()
	for kind, issue := range tokens {
		for _, f := range fronts[:2] {
			t.Run(kind+"/"+f.name, func(t *testing.T) {
				t.Parallel()
				secret := issue(t)
				secrets := sent(t, secret)
				cert, pem := certificate(t, "server", "localhost")
				server := eager(t, cert, page(200, "text/plain", everyForm(secrets[len(secrets)-1])))
				file := filepath.Join(t.TempDir(), "cert.pem")
				write(t, file, string(pem))
				for range 3 { // it is a race in net/http whether it logs it
					j := f.job(t, "deploy", []string{"shop", "prod"}, map[string]string{"server": strings.Replace(server, "127.0.0.1", "localhost", 1), "sslCert": file})
					j.env, j.secrets = append(j.env, "SPIRO_TOKEN="+secret), secrets
					if r := j.run(t); r.status == 0 {
						t.Error("it succeeded")
					}
				}
			})
		}
	}
}

// TestInterrupt: a run that is interrupted does not show the token either.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals")
	}
	for _, f := range fronts {
		for _, during := range []string{"upload", "highstate"} {
			t.Run(f.name+"/"+during, func(t *testing.T) {
				t.Parallel()
				secret := macaroon(t)
				reached, release := make(chan struct{}), make(chan struct{})
				var once sync.Once
				var url string
				switch during {
				case "upload":
					url = newEcho(t, nil, func(string) string {
						once.Do(func() { close(reached) })
						<-release
						return ""
					}).URL
				case "highstate":
					server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Delay: time.Hour}}})
					url, secret = server.URL(), server.Token(time.Hour, "shop")
					go func() {
						token := sent(t, secret)[1]
						for !offered(server, token) && t.Context().Err() == nil {
							time.Sleep(5 * time.Millisecond)
						}
						close(reached)
					}()
				}
				j := f.job(t, "deploy", []string{"shop", "prod"}, map[string]string{"server": url, "insecure": "", "report": "json=report.json"})
				j.env, j.secrets = append(j.env, "SPIRO_TOKEN="+secret), sent(t, secret)
				j.began = func(cmd *exec.Cmd) func() {
					select {
					case <-reached:
					case <-time.After(pace.Hang):
						t.Error("it did not get there")
					}
					if err := cmd.Process.Signal(os.Interrupt); err != nil {
						t.Error(err)
					}
					return func() { close(release) }
				}
				j.run(t).want(t, 130, "interrupted", j.secrets...)
			})
		}
	}
}

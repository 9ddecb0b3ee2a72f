package salt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
)

// settings are a configuration of Salt. JSON is YAML, too.
type settings map[string]any

// common are the settings of master and minions. Each has directories of its own:
// everything lies below root_dir, which Salt puts before whatever does not.
func (m *Master) common(name string) settings {
	return settings{
		"root_dir": m.path(name), "pki_dir": m.path(name, "pki"), "cachedir": m.path(name, "var"), "sock_dir": m.path(name, "s"),
		"pidfile": m.path(name, "pid"), "log_file": m.path(name, "log"), "log_level_logfile": "info",
		// Looking up names of all interfaces can take minutes.
		"enable_fqdns_grains": false, "enable_gpu_grains": false,
	}
}

// configure writes the configurations, and the key that makes tokens. It returns
// SpiroFS's port.
func (m *Master) configure(opts Options, ports []int) (int, error) {
	publish, returns, port := ports[0], ports[1], ports[2]
	m.URL = fmt.Sprintf("http://127.0.0.1:%d/", port)
	if opts.TLS {
		m.URL = fmt.Sprintf("https://127.0.0.1:%d/", port)
		if err := m.certify(); err != nil {
			return 0, fmt.Errorf("make a certificate: %w", err)
		}
	}
	master := m.common("master")
	maps.Copy(master, settings{
		"interface": "127.0.0.1", "publish_port": publish, "ret_port": returns,
		"auto_accept": true, "worker_threads": 3, "timeout": opts.patience(), "gather_job_timeout": opts.patience(),
		"file_roots": settings{"base": []string{m.path("base")}},
	})
	if err := m.setUp(opts, port, master); err != nil {
		return 0, err
	}
	if err := writeConfig(m.path("master", "master"), master); err != nil {
		return 0, err
	}
	if err := os.Mkdir(m.Temp(), 0o755); err != nil {
		return 0, fmt.Errorf("make a directory: %w", err)
	}
	for _, it := range m.minions {
		grains := settings{"root": m.Root(it.ID)}
		if it.RootGrain != "" {
			grains[it.RootGrain] = m.Root(it.ID)
		}
		maps.Copy(grains, it.Grains)
		minion := m.common(it.ID)
		maps.Copy(minion, settings{
			"id": it.ID, "master": "127.0.0.1", "master_port": returns, "publish_port": publish, "grains": grains,
			"mine_enabled": false, "acceptance_wait_time": 1, "random_reauth_delay": 1,
		})
		if err := writeConfig(m.path(it.ID, "minion"), minion); err != nil {
			return 0, err
		}
		if err := os.Mkdir(m.Root(it.ID), 0o755); err != nil {
			return 0, fmt.Errorf("make a minion's root: %w", err)
		}
	}
	return port, nil
}

// patience returns for how many seconds the master waits for the answer of a minion:
// on a busy machine, one that is well may take long. A master whose minions freeze
// gives up earlier, in 20 seconds if the machine is idle.
func (o Options) patience() int {
	if o.Freezes {
		return int(10 * pace.Soon().Seconds())
	}
	return 180
}

// setUp sets SpiroFS up: in the master's settings, or in a file of its own.
func (m *Master) setUp(opts Options, port int, master settings) error {
	if opts.Setup != nil {
		dir := m.path("master", "master.d")
		err := os.MkdirAll(dir, 0o755)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "spirofs.conf"), []byte(opts.Setup(port)), 0o644)
		}
		if err != nil {
			return fmt.Errorf("write SpiroFS's configuration: %w", err)
		}
		return nil
	}
	engine := settings{"port": port, "address": "127.0.0.1"}
	if opts.TLS {
		engine["ssl_crt"], engine["ssl_key"] = m.path("tls.crt"), m.path("tls.key")
	}
	maps.Copy(master, settings{
		"fileserver_backend": []string{"roots", "spiro"}, "engines": []settings{{"spiro": engine}},
		// The options file is one for the whole machine: not even here.
		"spirofs_compat": settings{"hardening": !opts.Published, "no_options_file": true},
	})
	// SpiroFS would make it when it first needs it, at two places at once if need be.
	key := m.path("master", "pki", "spiro_auth", "macaroon-key")
	err := os.MkdirAll(filepath.Dir(key), 0o700)
	if err == nil {
		err = os.WriteFile(key, m.key, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the key of the tokens: %w", err)
	}
	return nil
}

func writeConfig(path string, s settings) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write Salt's configuration: %w", err)
	}
	return nil
}

// tls returns what it takes to trust the certificate; nil without one.
func (m *Master) tls() *tls.Config {
	if m.Certificate == nil {
		return nil
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(m.Certificate)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// certify makes a certificate for the loopback address, which is its own authority.
func (m *Master) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "SpiroFS for tests"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	m.Certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	if err := os.WriteFile(m.path("tls.crt"), m.Certificate, 0o644); err != nil {
		return err
	}
	return os.WriteFile(m.path("tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}

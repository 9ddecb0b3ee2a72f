package salt

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/spirostack/spirodeploy/internal/certificate"
	"github.com/spirostack/spirodeploy/internal/dev/pace"
)

// settings are a configuration of Salt. JSON is YAML, too.
type settings map[string]any

// common returns the settings that master and minions share. Each has directories of its
// own: everything lies below root_dir, which Salt puts before every other path.
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
func (m *Master) configure(opts Options, ports []uint16) (uint16, error) {
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
		return 0, err
	}
	for _, it := range m.minions {
		grains := settings{"root": m.Root(it.ID), "shop_root": m.Root(it.ID)}
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
			return 0, err
		}
	}
	return port, nil
}

// patience returns for how many seconds the master waits for the answer of a minion: on a
// busy machine, a healthy one may take long. If minions freeze in a test, the master
// gives up earlier, after 20 seconds on an idle machine.
func (o Options) patience() int {
	if o.Freezes {
		return int(10 * pace.Soon().Seconds())
	}
	return 180
}

// setUp sets SpiroFS up: in the master's settings, or in a file of its own.
func (m *Master) setUp(opts Options, port uint16, master settings) error {
	if opts.Setup != nil {
		return write(m.path("master", "master.d", "spirofs.conf"), []byte(opts.Setup(int(port))))
	}
	engine := settings{"port": port, "address": "127.0.0.1"}
	if opts.TLS {
		engine["ssl_crt"], engine["ssl_key"] = m.path("tls.crt"), m.path("tls.key")
	}
	maps.Copy(master, settings{
		"fileserver_backend": []string{"roots", "spiro"}, "engines": []settings{{"spiro": engine}},
		// The options file would be shared by the whole machine, so tests do without it,
		// too.
		"spirofs_compat": settings{"hardening": !opts.Published, "no_options_file": true},
	})
	// Otherwise SpiroFS makes the key when it first needs it, possibly in two places at
	// once.
	return write(m.path("master", "pki", "spiro_auth", "macaroon-key"), m.key)
}

func writeConfig(path string, s settings) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return write(path, text)
}

// write writes a file that only this user can read, and makes its directory.
func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// tls returns a configuration that trusts the certificate, or nil if there is none.
func (m *Master) tls() *tls.Config {
	if m.Certificate == nil {
		return nil
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(m.Certificate)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// certify makes the server's certificate.
func (m *Master) certify() error {
	made, text, err := certificate.SelfSigned("SpiroFS for tests")
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(made.PrivateKey)
	if err != nil {
		return err
	}
	m.Certificate = text
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return errors.Join(write(m.path("tls.crt"), text), write(m.path("tls.key"), key))
}

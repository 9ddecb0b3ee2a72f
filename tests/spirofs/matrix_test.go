package spirofs_test

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
)

// update has the matrix write testdata/versions anew.
var update = flag.Bool("update", false, "write testdata/versions anew")

// TestMatrix runs the core of these tests with each version of Salt, one after the other:
// with all versions in CI, else with the newest.
func TestMatrix(t *testing.T) { //nolint:paralleltest // masters of its own are enough for a machine
	shared(t)
	for _, version := range salt.Matrix() {
		t.Run(version, func(t *testing.T) { core(t, version) })
	}
}

func core(t *testing.T, version string) {
	began := time.Now()
	env, err := salt.PrepareVersion(t.Context(), version, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	prepared := time.Now()
	m, err := env.Start(t.Context(), salt.Options{Minions: []salt.Minion{{ID: "web1"}, {ID: "web2"}}, TLS: true, Freezes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, m)
	started := time.Now()
	t.Run("together", func(t *testing.T) {
		t.Run("deploy", func(t *testing.T) { t.Parallel(); deploys(t, m) })
		t.Run("failures", func(t *testing.T) { t.Parallel(); failures(t, m, "web2") })
		t.Run("tokens", func(t *testing.T) { t.Parallel(); tokens(t, m) })
		t.Run("TLS", func(t *testing.T) { t.Parallel(); verifies(t, m) })
		t.Run("recorded", func(t *testing.T) { t.Parallel(); versioned(t, m, version) })
		if version != salt.Newest { // TestHardened tests the newest
			t.Run("hardened", func(t *testing.T) { hardened(t, m, "web2") })
		}
	})
	// A frozen minion holds up everything else that the master does.
	t.Run("minion down", func(t *testing.T) { missing(t, m, "web1", "web2") })
	t.Logf("Salt %s: %s to install, %s to start, %s for the tests", version,
		prepared.Sub(began).Round(time.Second), started.Sub(prepared).Round(time.Second), time.Since(started).Round(time.Second))
}

// deploys deploys with the command, and a token that the server itself issued.
func deploys(t *testing.T, m *salt.Master) {
	out, err := m.Runner(t.Context(), "spiro.issue_token", "projects=core", "lifespan=600")
	if err != nil {
		t.Fatal(err)
	}
	dir := states(t, "web*", "{{ grains['root'] }}/core:\n  file.managed:\n    - source: salt://_artifacts/built\n")
	write(t, filepath.Join(dir, "built"), "by this version\n")
	cmd := command(t, m, "core", "--dir", dir, "--artifact", "built", "--ssl-cert", certificate(t, m), "core", "prod")
	cmd.Env = append(cmd.Env, "SPIRO_TOKEN="+strings.Trim(strings.TrimSpace(string(out)), `"`))
	run(t, cmd).check(t, 0, "Success: core/prod deployed: 2 minions, 2 states")
	if got := content(t, filepath.Join(m.Root("web1"), "core")); got != "by this version\n" {
		t.Errorf("the minion has %q", got)
	}
}

// verifies: the command does not trust the certificate unless a flag names it.
func verifies(t *testing.T, m *salt.Master) {
	dir := states(t, "nobody*", "fine: {test.nop: []}\n")
	run(t, command(t, m, "tls", "--dir", dir, "tls", "prod")).check(t, 5, "--ssl-cert")
}

func certificate(t *testing.T, m *salt.Master) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "salt.pem")
	write(t, file, string(m.Certificate))
	return file
}

// versioned compares the streams of this version of Salt with testdata/versions, which
// other tests read.
func versioned(t *testing.T, m *salt.Master, version string) {
	for _, name := range salt.OfVersions {
		got, err := m.Record(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		file := versionFile(version, name)
		if *update {
			write(t, file, string(got))
		}
		if want := content(t, file); !salt.Same(got, []byte(want)) {
			t.Errorf("%s: Salt %s sends\n%s\nwant\n%s", name, version, got, want)
		}
	}
}

func versionFile(version, name string) string {
	release, _, _ := strings.Cut(version, ".")
	return filepath.Join("testdata", "versions", release, name+".sse")
}

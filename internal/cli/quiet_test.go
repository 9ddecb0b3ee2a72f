package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// TestQuietWarnings: --quiet leaves out the warning of an exclude pattern that matches
// nothing, and no other. It does not change what --strict takes for a problem.
func TestQuietWarnings(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "_salt"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "_salt", "web.sls"), []byte("hello:\n  test.nop: []\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "shop.tar")
	if err := func() error {
		w, _, _ := world(nil)
		return w.Run(t.Context(), cli.Settings{Dir: dir, Output: out, GitDescribe: "off"})
	}(); err != nil {
		t.Fatal(err)
	}
	const exclude, other = "nothing matches the exclude pattern *.pyc", "no minion"
	for name, change := range map[string]func(*cli.Settings){
		"deploy": func(s *cli.Settings) {
			s.Project, s.Deployment, s.Servers, s.Insecure = "shop", "prod", []string{server.URL()}, true
		},
		"build": func(s *cli.Settings) { s.Output = out + "2" },
		"diff":  func(s *cli.Settings) { s.Diff = out },
	} {
		for _, quiet := range []bool{false, true} {
			w, _, stderr := world(map[string]string{"SPIRO_TOKEN": server.Token(time.Hour, "shop")})
			s := cli.Settings{Dir: dir, Exclude: []string{"*.pyc"}, Quiet: quiet}
			change(&s)
			if err := w.Run(t.Context(), s); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			said := stderr.String()
			if strings.Contains(said, exclude) == quiet {
				t.Errorf("%s, quiet %t: %q", name, quiet, said)
			}
			if name == "deploy" && !strings.Contains(said, other) {
				t.Errorf("%s, quiet %t: no other warning in %q", name, quiet, said)
			}
		}
	}
	w, _, _ := world(map[string]string{"SPIRO_TOKEN": server.Token(time.Hour, "shop")})
	err := w.Run(t.Context(), cli.Settings{Dir: dir, Exclude: []string{"*.pyc"}, Quiet: true, Strict: true, Insecure: true, Project: "shop", Deployment: "prod", Servers: []string{server.URL()}})
	if err == nil || !strings.Contains(err.Error(), exclude) {
		t.Errorf("--strict with --quiet: %v", err)
	}
}

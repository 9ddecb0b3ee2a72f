package targets_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/targets"
)

// TestDefaults checks that a default replaces a flag that is not given, that flags win, and
// that they silently drop defaults that they make pointless.
func TestDefaults(t *testing.T) { //nolint:paralleltest // it changes Defaults and the environment of the process
	dir := t.TempDir()
	write(t, filepath.Join(dir, "_salt", "spirotop.sls"), "prod: {'*': [web]}\n")
	write(t, filepath.Join(dir, "_salt", "web.sls"), "hello: {}\n")
	write(t, filepath.Join(dir, "made"), "artifact\n")
	server := spirotest.New(t, spirotest.Options{TLS: true, Minions: []spirotest.Minion{{ID: "web1"}}})
	cert, page := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "page.html")
	write(t, cert, string(server.CertPEM()))
	for _, name := range []string{"SPIRO_URL", "SPIRO_TOKEN"} {
		t.Setenv(name, "")
	}
	asked := 0
	targets.Defaults = targets.Options{
		Server: server.URL(), Certificate: cert, Dir: dir, Artifacts: []string{"made"}, Reports: []string{"html=" + page}, RequireMinions: true,
		Token: func(context.Context) (string, error) {
			asked++
			return server.Token(time.Hour, "shop"), nil
		},
	}
	t.Cleanup(func() { targets.Defaults = targets.Options{} })

	if err := deploy(t); err != nil {
		t.Fatal(err)
	}
	if asked != 1 {
		t.Errorf("the token was looked for %d times", asked)
	}
	if d, ok := server.Deployment("shop", "prod"); !ok {
		t.Error("nothing was deployed")
	} else if _, err := os.Stat(filepath.Join(d.Dir, "_artifacts", "made")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(page); err != nil {
		t.Error(err)
	}

	tar := filepath.Join(t.TempDir(), "b.tar")
	if err := targets.Bundle(t.Context(), &tar, nil, nil, nil, nil, nil, nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	targets.Defaults.Token = func(context.Context) (string, error) { return "", errors.New("the safe is locked") }
	err := deploy(t)
	if err == nil || !strings.Contains(err.Error(), "find the token: the safe is locked") {
		t.Errorf("error %v", err)
	}
	t.Setenv("SPIRO_TOKEN", server.Token(time.Hour, "shop"))
	if err := deploy(t); err != nil {
		t.Errorf("with a token in the environment: %v", err)
	}
	no := false
	if err := targets.Deploy(t.Context(), "shop", "prod", nil, nil, nil, nil, nil, nil, nil, nil, &no, nil, nil, nil, nil, nil, nil, &tar, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil); err != nil {
		t.Errorf("with a bundle, without a highstate: %v", err)
	}
	targets.Defaults.Strict, targets.Defaults.MissingMinions = true, "warn"
	again := filepath.Join(t.TempDir(), "again.tar")
	if err := targets.Deploy(t.Context(), "shop", "prod", nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, &again, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil); err != nil {
		t.Errorf("with an output: %v", err)
	}
	if err := targets.Deploy(t.Context(), "shop", "prod", nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, &tar, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil); err != nil {
		t.Errorf("with a comparison: %v", err)
	}
}

// deploy calls the target without flags.
func deploy(t *testing.T) error {
	t.Helper()
	return targets.Deploy(t.Context(), "shop", "prod", nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil)
}

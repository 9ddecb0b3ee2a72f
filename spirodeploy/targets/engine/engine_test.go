package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/targets/engine"
)

const secret = "MDAxY2xvY2F0aW9uX3NlY3JldF9tYXJrZXI"

func ptr[T any](v T) *T { return &v }

// stdout returns what f prints.
func stdout(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	old := os.Stdout
	os.Stdout = file
	defer func() { os.Stdout = old }()
	f()
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wantArgs(t *testing.T, q query, want map[string]any) {
	t.Helper()
	got, _ := json.Marshal(q.args)
	wanted, _ := json.Marshal(want)
	if string(got) != string(wanted) {
		t.Errorf("%s has the arguments\n%s\nwant\n%s", q.path, got, wanted)
	}
}

// one returns the only query of a path.
func (f *fake) one(t *testing.T, path string) query {
	t.Helper()
	found := f.asked(path)
	if len(found) != 1 {
		t.Fatalf("%s is asked for %d times", path, len(found))
	}
	return found[0]
}

func deployAll(ctx context.Context) error {
	return engine.Deploy(ctx, "shop", "prod", ptr("https://salt.example/"), nil, ptr("ca.pem"), ptr(true), ptr(false),
		ptr(`a,b\,c`), ptr("git"), ptr("*.pyc"), ptr("../module"), ptr(90*time.Minute))
}

func deployPlain(ctx context.Context) error {
	return engine.Deploy(ctx, "shop", "prod", nil, nil, nil, nil, nil, nil, nil, nil, ptr("m"), nil)
}

func status(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := err.(interface{ ExitStatus() int }); ok { // as mage does
		return e.ExitStatus()
	}
	return -1
}

func TestDeploy(t *testing.T) {
	f := start(t)
	t.Setenv("SPIRO_TOKEN", " "+secret+"\n")
	var err error
	out := stdout(t, func() { err = deployAll(t.Context()) })
	if err != nil || out != "web1:\nSuccess: shop/prod deployed\n" {
		t.Errorf("Deploy prints %q, %v", out, err)
	}
	wantArgs(t, f.one(t, "moduleSource.asModule.serve"), map[string]any{"moduleSource.refString": "../module"})
	wantArgs(t, f.one(t, "spirodeploy.bundle.id"), map[string]any{
		"bundle.dir": "dir-id", "bundle.artifacts": []any{"a", "b,c"}, "bundle.includeSource": "git", "bundle.exclude": []any{"*.pyc"},
	})
	wantArgs(t, f.one(t, "host.directory.id"), map[string]any{"directory.path": "."})
	wantArgs(t, f.one(t, "host.file.id"), map[string]any{"file.path": "ca.pem"})
	wantArgs(t, f.one(t, "spirodeploy.deployReport"), map[string]any{
		"spirodeploy.server": "https://salt.example/", "spirodeploy.sslCert": "file-id", "spirodeploy.insecure": true,
		"deployReport.bundle": "bundle-id", "deployReport.project": "shop", "deployReport.deployment": "prod",
		"deployReport.token": "secret-id", "deployReport.highstate": false, "deployReport.timeout": "1h30m0s",
	})
	wantArgs(t, f.one(t, "setSecret.id"), map[string]any{"setSecret.name": "SPIRO_TOKEN", "setSecret.plaintext": secret})
	for _, q := range f.queries {
		if strings.Contains(q.text, secret) != (q.path == "setSecret.id") {
			t.Errorf("the token is in %s, or not where it belongs", q.path)
		}
	}
}

func TestDeployDefaults(t *testing.T) {
	f := start(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SPIRO_TOKEN", "")
	for url, want := range map[string]string{"": "https://salt:4510/", " ": "https://salt:4510/", "https://other/": "https://other/"} {
		f.queries = nil
		t.Setenv("SPIRO_URL", url)
		stdout(t, func() {
			if err := engine.Deploy(t.Context(), "shop", "prod", nil, &file, nil, nil, nil, nil, nil, nil, ptr("m"), nil); err != nil {
				t.Error(err)
			}
		})
		wantArgs(t, f.one(t, "spirodeploy.bundle.id"), map[string]any{"bundle.dir": "dir-id"})
		wantArgs(t, f.one(t, "spirodeploy.deployReport"), map[string]any{
			"spirodeploy.server": want, "deployReport.bundle": "bundle-id", "deployReport.project": "shop",
			"deployReport.deployment": "prod", "deployReport.token": "secret-id", "deployReport.highstate": true,
		})
	}
}

func TestDeployFails(t *testing.T) {
	f := start(t)
	t.Setenv("SPIRO_TOKEN", secret)
	f.answers["spirodeploy.deployReport"] = map[string]any{
		"exitStatus": 1, "summary": "web1:\n  …\nFAILURE: shop/prod: failed: 1 of 1 minion failed (web1)",
	}
	var err error
	out := stdout(t, func() { err = deployPlain(t.Context()) })
	if status(err) != 1 || err.Error() != "shop/prod: failed: 1 of 1 minion failed (web1)" || !strings.HasPrefix(out, "web1:\n") {
		t.Errorf("Deploy prints %q, error %v", out, err)
	}

	f.fail["spirodeploy.deployReport"] = "no such token: " + secret
	err = deployPlain(t.Context())
	if status(err) != 6 || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "[redacted]") {
		t.Errorf("Deploy with a function that fails: %v", err)
	}
	f.fail["spirodeploy.bundle.id"] = "2 problems"
	if err = deployPlain(t.Context()); status(err) != 2 || !strings.Contains(err.Error(), "2 problems") {
		t.Errorf("Deploy of a tree that cannot be bundled: %v", err)
	}
	f.fail["moduleSource.asModule.serve"] = "no module there"
	if err = deployPlain(t.Context()); status(err) != 2 || !strings.Contains(err.Error(), "serve module m: ") {
		t.Errorf("Deploy with no module: %v", err)
	}
}

func TestBundle(t *testing.T) {
	f := start(t)
	t.Chdir(t.TempDir())
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for want, output := range map[string]*string{"bundle.tar": nil, "out/x.tar": ptr("out/x.tar")} {
		f.queries = nil
		want = filepath.Join(dir, want)
		out := stdout(t, func() {
			if err := engine.Bundle(t.Context(), output, ptr("a"), nil, nil, ptr("m")); err != nil {
				t.Error(err)
			}
		})
		if out != "sha256:abc  "+want+"\n" {
			t.Errorf("Bundle prints %q", out)
		}
		wantArgs(t, f.one(t, "node.export"), map[string]any{"node.id": "bundle-id", "export.path": want})
		wantArgs(t, f.one(t, "spirodeploy.digest"), map[string]any{"digest.bundle": "bundle-id"})
		wantArgs(t, f.one(t, "spirodeploy.bundle.id"), map[string]any{"bundle.dir": "dir-id", "bundle.artifacts": []any{"a"}})
	}
	f.fail["spirodeploy.bundle.id"] = "2 problems"
	if err := engine.Bundle(t.Context(), nil, nil, nil, nil, ptr("m")); status(err) != 2 || err.Error() != "bundle: 2 problems" {
		t.Errorf("Bundle of a tree that cannot be bundled: %v", err)
	}
}

// TestRefusedBefore checks problems that are found without an engine.
func TestRefusedBefore(t *testing.T) {
	f := start(t)
	t.Setenv("SPIRO_TOKEN", "")
	for want, run := range map[string]func() error{
		"flags go after PROJECT DEPLOYMENT": func() error {
			return engine.Deploy(t.Context(), "-artifact=a", "shop", nil, nil, nil, nil, nil, nil, nil, nil, nil, nil)
		},
		"set SPIRO_TOKEN": func() error { return deployPlain(t.Context()) },
		"project name": func() error {
			return engine.Deploy(t.Context(), "a/b", "c", nil, nil, nil, nil, nil, nil, nil, nil, ptr("m"), nil)
		},
		"no such file": func() error {
			return engine.Deploy(t.Context(), "a", "b", nil, ptr("missing"), nil, nil, nil, nil, nil, nil, ptr("m"), nil)
		},
		"-server is given and empty": func() error {
			return engine.Deploy(t.Context(), "a", "b", ptr(" "), nil, nil, nil, nil, nil, nil, nil, ptr("m"), nil)
		},
		"-tokenFile is given and empty": func() error {
			return engine.Deploy(t.Context(), "a", "b", nil, ptr(""), nil, nil, nil, nil, nil, nil, ptr("m"), nil)
		},
		"-artifact has an empty value": func() error { return engine.Bundle(t.Context(), nil, ptr("a,"), nil, nil, ptr("m")) },
		"-output is given and empty":   func() error { return engine.Bundle(t.Context(), ptr(""), nil, nil, nil, ptr("m")) },
		`source "svn"`:                 func() error { return engine.Bundle(t.Context(), nil, nil, ptr("svn"), nil, ptr("m")) },
		"-module=":                     func() error { return engine.Bundle(t.Context(), nil, nil, nil, nil, nil) },
	} {
		if err := run(); status(err) != 2 || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q with status 2", err, want)
		}
	}
	if len(f.queries) > 0 {
		t.Errorf("the engine was asked for %v", f.queries)
	}
}

func TestNoEngine(t *testing.T) {
	t.Setenv("SPIRO_TOKEN", secret)
	broken := filepath.Join(t.TempDir(), "dagger")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho cannot reach docker >&2\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string]map[string]string{
		"no command":      {"PATH": t.TempDir()},
		"failing command": {"PATH": filepath.Dir(broken)},
		"dead session":    {"DAGGER_SESSION_PORT": "1", "DAGGER_SESSION_TOKEN": "x"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, name := range []string{"DAGGER_SESSION_PORT", "_EXPERIMENTAL_DAGGER_CLI_BIN"} {
				t.Setenv(name, "") // restores it after the test
				os.Unsetenv(name)
			}
			for name, value := range env {
				t.Setenv(name, value)
			}
			err := deployPlain(t.Context())
			if status(err) != 2 || !strings.HasPrefix(err.Error(), "no Dagger engine can be reached (") || strings.Contains(err.Error(), "\n") {
				t.Errorf("Deploy without an engine: %v", err)
			}
		})
	}
}

func TestInterrupted(t *testing.T) {
	start(t)
	t.Setenv("SPIRO_TOKEN", secret)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := deployPlain(ctx); status(err) != 130 {
		t.Errorf("Deploy that is interrupted: %v", errors.Unwrap(err))
	}
}

package cli_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// TestDiscreet: the token of the run is shown nowhere, also where it was typed in
// the place of something else.
func TestDiscreet(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	secret := server.Token(time.Hour)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "_salt"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "_salt", "top.sls"), []byte("x: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	file, out := filepath.Join(dir, "token"), filepath.Join(dir, "report.json")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, env := range map[string]map[string]string{"environment": {"SPIRO_TOKEN": secret}, "file": nil, "argument": nil} {
		w, stdout, stderr := world(env)
		s := cli.Settings{Project: "shop", Deployment: secret, Dir: dir, Servers: []string{server.URL()}, Insecure: true, Reports: []string{"json=" + out}}
		switch name {
		case "file":
			s.TokenFile = file
		case "argument":
			s.Token = secret
		}
		if err := w.Run(t.Context(), s); err == nil || !strings.Contains(err.Error(), "deployment name: it contains the token") {
			t.Errorf("%s: another error than that of the name", name)
		}
		report, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		s.Bundle = secret
		err = w.Run(t.Context(), s)
		var with *cli.Error
		if !errors.As(err, &with) || with.Status != 2 || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "[redacted]") {
			t.Errorf("%s: another error than that there is no such bundle", name)
		}
		all := stdout.String() + stderr.String() + string(report) + err.Error()
		if strings.Contains(all, secret[40:60]) || strings.Contains(all, secret[len(secret)-20:]) || !strings.Contains(string(report), "[redacted]") {
			t.Errorf("%s: the token is shown", name)
		}
	}
}

// TestLog: what is logged by others is about the run, too.
func TestLog(t *testing.T) {
	const secret = "a-token-that-is-logged"
	w := cli.Process()
	var out bytes.Buffer
	w.Stdout, w.Stderr = &out, &out
	logged := 0
	w.Getenv = func(name string) string {
		if name == "SPIRO_TOKEN" {
			logged++
			log.Print("got " + secret)
			return secret
		}
		return ""
	}
	before := log.Writer()
	log.SetOutput(new(bytes.Buffer)) // the first time it is read, it is not known yet
	defer log.SetOutput(before)
	_ = w.Check(t.Context(), cli.Settings{Servers: []string{"none"}})
	if text := out.String(); logged < 2 || strings.Contains(text, secret) || !strings.Contains(text, "got [redacted]") {
		t.Errorf("logged %d times, %d bytes", logged, len(text))
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	const a, b, c = "token-of-the-environment", "token-of-an-argument", "-token-like-a-flag"
	w, _, _ := world(map[string]string{"SPIRO_TOKEN": a})
	got := w.Redact(strings.Join([]string{a, b, c, "other"}, " "), "--token="+b, "--token", c, "other")
	if want := "[redacted] [redacted] [redacted] other"; got != want {
		t.Errorf("Redact = %q, want %q", got, want)
	}
}

func TestPositionWithToken(t *testing.T) {
	t.Parallel()
	err := cli.CheckPosition("-token=some-long-secret", "shop")
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), `"-token"`) {
		t.Errorf("error %v", err)
	}
}

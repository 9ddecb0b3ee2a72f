package targets_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// scratch is a directory for what all tests share.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "spirodeploy-targets-"); err != nil {
		panic(err)
	}
	status := m.Run()
	_ = os.RemoveAll(scratch) // it is a temporary directory
	os.Exit(status)
}

// compiled is the path of a magefile that imports this package, compiled.
var compiled = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "mage.exe")
	cmd := exec.Command("go", "tool", "mage", "-d", filepath.Join("..", "..", "internal", "dev", "targets"), "-compile", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mage -compile: %w\n%s", err, out)
	}
	return path, nil
})

func magefile(t *testing.T) string {
	t.Helper()
	path, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// mage runs targets as a user does.
func mage(t *testing.T, env []string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), magefile(t), args...)
	cmd.Env = append(os.Environ(), append([]string{"SPIRO_TOKEN=", "SPIRO_URL="}, env...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "_salt", "spirotop.sls"), "prod: {'*': [web]}\n")
	write(t, filepath.Join(dir, "_salt", "web.sls"), "hello: {}\n")
	write(t, filepath.Join(dir, "a,b"), "artifact with a comma\n")
	write(t, filepath.Join(dir, "c"), "artifact\n")
	server := spirotest.New(t, spirotest.Options{TLS: true, Minions: []spirotest.Minion{
		{ID: "web1"}, {ID: "web2", Result: spirotest.NoAnswer()},
	}})
	secret := server.Token(time.Hour, "shop")
	cert := filepath.Join(t.TempDir(), "cert.pem")
	write(t, cert, string(server.CertPEM()))
	env := []string{"SPIRO_TOKEN=" + secret, "SPIRO_URL=" + server.URL()}
	b, err := bundle.New(t.Context(), bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{{Path: "a,b"}, {Path: "c"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	digest, err := b.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tar := filepath.Join(t.TempDir(), "b.tar")
	artifacts := `-artifact=a\,b,c`

	for _, tt := range []struct {
		name   string
		args   []string
		status int
		stdout string
		stderr string
		posts  int
	}{
		{"list", []string{"-l"}, 0, "spiro:deploy", "", 0},
		{"help", []string{"-h", "spiro:deploy"}, 0, "-sslCert=", "", 0},
		{"bundle", []string{"spiro:bundle", "-dir=" + dir, artifacts, "-output=" + tar}, 0, digest.String() + "  " + tar + "\n", "", 0},
		{"check", []string{"spiro:check", "-sslCert=" + cert}, 0, ": the token is valid: for shop, ", "", 0},
		{"check another project", []string{"spiro:check", "-project=blog", "-sslCert=" + cert}, 2, "", "not for the project blog but for shop", 0},
		{"check without certificate", []string{"spiro:check"}, 5, "", "-sslCert", 0},
		{"token", []string{"spiro:token"}, 0, "for shop, valid from ", "", 0},
		{"narrower token", []string{"spiro:token", "-project=shop", "-lifetime=10m", "-output=" + filepath.Join(dir, "narrow")}, 0, "", "a token for shop, valid from ", 0},
		{"check it", []string{"spiro:check", "-sslCert=" + cert, "-tokenFile=" + filepath.Join(dir, "narrow")}, 0, ": the token is valid: for shop, ", "", 0},
		{"diff", []string{"spiro:diff", tar, tar}, 0, "", "0 differences", 0},
		{"diff with nothing", []string{"spiro:diff", "", tar}, 2, "", "OLD is empty: is a variable not set?", 0},
		{"diff of nothing", []string{"spiro:diff", tar, " "}, 2, "", "NEW is empty: is a variable not set?", 0},
		{"deploy", []string{"spiro:deploy", "shop", "prod", "-dir=" + dir, artifacts, "-sslCert=" + cert, "-digest=" + digest.String()}, 1, "FAILURE: shop/prod: 1 of 2 minions failed (web2)", "", 1},
		{"deploy a bundle", []string{"spiro:deploy", "shop", "prod", "-bundle=" + tar, "-sslCert=" + cert, "-highstate=false"}, 0, digest.String(), "", 2},
		{"dry run", []string{"spiro:deploy", "shop", "prod", "-bundle=" + tar, "-sslCert=" + cert, "-dryRun"}, 0, "    a,b", "", 2},
		{"flags first", []string{"spiro:deploy", "-artifact=a", "shop", "prod"}, 2, "", "flags go after PROJECT DEPLOYMENT", 2},
		{"another project", []string{"spiro:deploy", "blog", "prod", "-bundle=" + tar, "-sslCert=" + cert}, 2, "", "the token is not for the project blog but for shop", 2},
		{"empty flag", []string{"spiro:deploy", "shop", "prod", "-digest=", "-dir=" + dir, "-sslCert=" + cert}, 2, "", "-digest is given and empty", 2},
		{"no server in a list", []string{"spiro:check", "-server=,"}, 2, "", "-server is given and empty", 2},
		{"a blank server", []string{"spiro:deploy", "shop", "prod", "-server=" + server.URL() + ", ", "-dir=" + dir, "-sslCert=" + cert}, 2, "", "-server has an empty value", 2},
		{"a hole in a list", []string{"spiro:check", "-server=https://a/,"}, 2, "", "-server has an empty value: is a variable not set?", 2},
		{"a hole among artifacts", []string{"spiro:bundle", "-artifact=_salt,,_salt", "-dir=" + dir, "-output=" + tar}, 2, "", "-artifact has an empty value", 2},
		{"a hint to copy", []string{"spiro:bundle", "-artifact=../x", "-dir=" + dir, "-output=" + tar}, 2, "", "say where it goes: -artifact=NAME=PATH", 2},
		{"no pattern in a list", []string{"spiro:bundle", "-exclude= , ", "-dir=" + dir, "-output=" + tar}, 2, "", "-exclude is given and empty", 2},
		{"a blank pattern", []string{"spiro:bundle", "-exclude=*.pyc, ,*.bak", artifacts, "-dir=" + dir, "-output=" + tar}, 2, "", "-exclude has an empty value: is a variable not set?", 2},
		{"a blank report", []string{"spiro:deploy", "shop", "prod", "-dir=" + dir, "-sslCert=" + cert, "-report=json=" + filepath.Join(dir, "a.json") + ", ,html=" + filepath.Join(dir, "a.html")}, 2, "", "-report has an empty value", 2},
		{"bad input", []string{"spiro:deploy", "a/b", "prod", "-dir=" + filepath.Join(dir, "none"), "-sslCert=none.pem"}, 2, "", "3 problems", 2},
	} {
		stdout, stderr, status := mage(t, env, tt.args...)
		if status != tt.status || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("%s: exit status %d, want %d, stdout with %q, stderr with %q; got\n%s%s", tt.name, status, tt.status, tt.stdout, tt.stderr, stdout, stderr)
		}
		if strings.Contains(stdout+stderr, secret) {
			t.Errorf("%s: the token is shown", tt.name)
		}
		posts := 0
		for _, r := range server.Requests() {
			if r.Method == "POST" {
				posts++
			}
		}
		if posts != tt.posts {
			t.Errorf("%s: %d POSTs, want %d", tt.name, posts, tt.posts)
		}
	}
	if d, ok := server.Deployment("shop", "prod"); !ok || d.Digest != digest.String() {
		t.Errorf("deployed %+v, want digest %s", d, digest)
	}
}

// TestMageTimeout checks that a run ends with its verdict and its report before the time is
// up that mage gives a target.
func TestMageTimeout(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "_salt", "spirotop.sls"), "prod: {'*': [web]}\n")
	write(t, filepath.Join(dir, "_salt", "web.sls"), "hello: {}\n")
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}, {ID: "web2", Delay: time.Hour}}})
	file := filepath.Join(t.TempDir(), "report.json")
	stdout, stderr, status := mage(t, []string{"SPIRO_TOKEN=" + server.Token(time.Hour, "shop"), "SPIRO_URL=" + server.URL(), "MAGEFILE_TIMEOUT=40s"},
		"spiro:deploy", "shop", "prod", "-insecure", "-dir="+dir, "-report=json="+file)
	report, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(report), `"verdict": "unknown"`) {
		t.Errorf("report %s, %v", report, err)
	}
	if status != 6 || !strings.Contains(stdout+stderr, "the time that mage has for it is nearly up") || !strings.Contains(stdout, "FAILURE:") {
		t.Errorf("status %d\n%s\n%s", status, stdout, stderr)
	}
}

package registry_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/module"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/tests/program"
)

// project is a directory with a project in it, and a login of Docker's configuration.
type project struct {
	dir string
	env []string
}

func newProject(t *testing.T, r real) project {
	t.Helper()
	p := project{dir: t.TempDir()}
	for name, text := range map[string]string{"_salt/spirotop.sls": "prod: {'*': [web]}\n", "_salt/web.sls": "web: {test.nop: []}\n"} {
		path := filepath.Join(p.dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	config := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	if err := os.WriteFile(filepath.Join(config, "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, r.host(), auth), 0o600); err != nil {
		t.Fatal(err)
	}
	p.env = []string{"SPIRO_URL=" + server.URL(), "SPIRO_TOKEN=" + server.Token(time.Hour, "shop"), "DOCKER_CONFIG=" + config, "SOURCE_DATE_EPOCH=1700000000"}
	return p
}

// run runs the command, which must end with a status and never show the password.
func (p project) run(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program.Command(t), args...)
	cmd.Dir, cmd.Env = p.dir, append(os.Environ(), p.env...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	_ = cmd.Run() // the exit status says so
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("%q: status %d, want %d\n%s%s", args, got, status, &out, &err)
	}
	if all := out.String() + err.String(); strings.Contains(all, password) {
		t.Errorf("%q shows the password:\n%s", args, all)
	}
	return out.String(), err.String()
}

// TestPromote pushes a bundle once and deploys it by its digest, as often as wanted.
func TestPromote(t *testing.T) {
	t.Parallel()
	r := start(t, false, nil)
	p := newProject(t, r)
	tag := "oci://" + r.host() + "/shop:1.4"
	pushed, _ := p.run(t, 0, "--output", tag, "--registry-source", "https://git.example.com/shop")
	found := regexp.MustCompile(`^(sha256:[0-9a-f]{64})  (oci://\S+@sha256:[0-9a-f]{64})\n$`).FindStringSubmatch(pushed)
	if found == nil {
		t.Fatalf("it prints %q", pushed)
	}
	sum, pinned := found[1], found[2]
	if again, _ := p.run(t, 0, "--output", tag, "--registry-source", "https://git.example.com/shop"); again != pushed {
		t.Errorf("the same bundle is %q, and then %q", pushed, again)
	}
	written, _ := p.run(t, 0, "--output", filepath.Join(t.TempDir(), "shop.tar"))
	if !strings.HasPrefix(written, sum+"  ") {
		t.Errorf("the file %q has another digest than %s", written, sum)
	}

	report := filepath.Join(t.TempDir(), "report.json")
	said, story := p.run(t, 0, "--insecure", "--bundle", pinned, "--digest", sum, "--report", "json="+report, "shop", "prod")
	for _, want := range []string{"Bundle:  " + sum, "From:    " + pinned, "Success: shop/prod deployed: 1 minion"} {
		if !strings.Contains(said, want) {
			t.Errorf("the result lacks %q:\n%s", want, said)
		}
	}
	if !strings.Contains(story, "bundle    "+pinned+": ") {
		t.Errorf("the story does not name the bundle:\n%s", story)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		Targets []struct {
			Bundle struct{ Digest, Origin string }
		}
	}
	if err := json.Unmarshal(text, &kept); err != nil || len(kept.Targets) != 1 || kept.Targets[0].Bundle.Origin != pinned || kept.Targets[0].Bundle.Digest != sum {
		t.Errorf("the report has %+v, %v", kept, err)
	}
	dry, _ := p.run(t, 0, "--insecure", "--bundle", tag, "--dry-run", "shop", "prod")
	if !strings.Contains(dry, "from     "+pinned) {
		t.Errorf("the dry run does not name the digest behind the tag:\n%s", dry)
	}
	if diff, _ := p.run(t, 0, "--diff", tag); diff != "" {
		t.Errorf("it differs from itself: %s", diff)
	}
}

// TestRegistryFails: each kind of failure has a status of its own, and nothing is sent to
// the server.
func TestRegistryFails(t *testing.T) {
	t.Parallel()
	r, secure := start(t, false, nil), start(t, true, nil)
	p := newProject(t, r)
	tag := "oci://" + r.host() + "/shop:1"
	p.run(t, 0, "--output", tag)
	cert, other := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "other.pem")
	for path, text := range map[string][]byte{
		cert:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}),
		other: spirotest.New(t, spirotest.Options{TLS: true}).CertPEM(),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	zero := "sha256:" + strings.Repeat("0", 64)
	for name, tt := range map[string]struct {
		status int
		args   []string
		want   string
	}{
		"no such tag":      {3, []string{"--bundle", "oci://" + r.host() + "/shop:2"}, "the registry has no tag 2 there"},
		"no such digest":   {3, []string{"--bundle", "oci://" + r.host() + "/shop@" + zero}, "nothing of that digest"},
		"no login":         {3, []string{"--bundle", "oci://" + secure.host() + "/shop:1", "--registry-cert", cert}, "docker login"},
		"not trusted":      {5, []string{"--bundle", "oci://" + secure.host() + "/shop:1", "--registry-cert", other}, "the registry's certificate is signed by an unknown authority"},
		"nothing there":    {5, []string{"--bundle", "oci://127.0.0.1:1/shop:1"}, "nothing listens on 127.0.0.1:1"},
		"another digest":   {2, []string{"--bundle", tag, "--digest", zero}, "another digest"},
		"bad address":      {2, []string{"--bundle", "oci://" + r.host() + "/shop"}, "--bundle: address of a bundle in a registry: it has neither a tag nor a digest"},
		"flag for nothing": {2, []string{"--registry-plain"}, "--registry-plain has no effect"},
		"and other faults": {2, []string{"--bundle", "oci://127.0.0.1:1/shop:1", "--color", "pink"}, `--color "pink"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, said := p.run(t, tt.status, append([]string{"--insecure", "shop", "prod"}, tt.args...)...)
			if !strings.Contains(said, tt.want) {
				t.Errorf("it lacks %q:\n%s", tt.want, said)
			}
			if strings.Contains(said, "upload") {
				t.Errorf("something was sent:\n%s", said)
			}
		})
	}
	if _, said := p.run(t, 3, "--output", "oci://"+secure.host()+"/shop:1", "--registry-cert", cert); !strings.Contains(said, "the registry wants a login") {
		t.Errorf("a push without a login says %s", said)
	}
}

// TestModule tests pushing and pulling with the Dagger module's functions.
func TestModule(t *testing.T) {
	t.Parallel()
	r := start(t, false, nil)
	p := newProject(t, r)
	file := filepath.Join(t.TempDir(), "shop.tar")
	written, _ := p.run(t, 0, "--output", file)
	login := registry.Options{Credentials: registry.Static(registry.Login{Username: user, Password: password})}
	address, err := module.Push(t.Context(), file, "oci://"+r.host()+"/team/shop:1", "", login)
	if err != nil || !strings.Contains(address, "/team/shop:1@sha256:") {
		t.Fatalf("%s, %v", address, err)
	}
	pulled := filepath.Join(t.TempDir(), "pulled.tar")
	if err := module.Pull(t.Context(), address, pulled, login); err != nil {
		t.Fatal(err)
	}
	a, errA := os.ReadFile(file)
	b, errB := os.ReadFile(pulled)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("the bundle pulled from %s differs (%v, %v)", written, errA, errB)
	}
	missing := filepath.Join(t.TempDir(), "missing.tar")
	err = module.Pull(t.Context(), "oci://"+r.host()+"/team/shop:2", missing, login)
	if err == nil || strings.Contains(err.Error(), password) || !strings.Contains(err.Error(), "no tag 2") {
		t.Errorf("a missing tag: %v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a failed pull leaves a file")
	}
	if _, err := module.Push(t.Context(), file, "oci://"+r.host()+"/team/shop", "", registry.Options{}); err == nil || !strings.Contains(err.Error(), "neither a tag") {
		t.Errorf("an address without a tag: %v", err)
	}
}

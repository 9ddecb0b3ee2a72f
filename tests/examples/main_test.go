package examples_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/tests/program"
)

// root is the root of the repository, as an absolute path.
var root = func() string {
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		panic(err)
	}
	return dir
}()

func TestMain(m *testing.M) { program.Main(m) }

// result is the result of a program.
type result struct {
	stdout, stderr string
	status         int
}

// run runs a program in a directory. It adds env to the environment of the tests, and
// leaves out variables for spiro-deploy and CI services.
func run(t *testing.T, dir string, env []string, name string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	for _, e := range os.Environ() {
		key, _, _ := strings.Cut(e, "=")
		if !strings.HasPrefix(key, "SPIRO_") && !strings.HasPrefix(key, "GITHUB_") && key != "GITLAB_CI" && key != "MAGEFILE_VERBOSE" {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	t.Logf("%s %s: status %d\n%s%s", name, strings.Join(args, " "), cmd.ProcessState.ExitCode(), out.String(), said.String())
	return result{out.String(), said.String(), cmd.ProcessState.ExitCode()}
}

// must is run for a program that must succeed.
func must(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	r := run(t, dir, env, name, args...)
	if r.status != 0 {
		t.Fatalf("%s %v: status %d\n%s%s", name, args, r.status, r.stdout, r.stderr)
	}
	return r.stdout
}

// example copies a directory of examples to one of its own.
func example(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "examples", name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// fails is the result of a minion on which a state failed.
var fails = spirotest.States(spirotest.State{
	SLS: "web", ID: "shop-program", Function: "file.managed", Result: spirotest.Failed, Comment: "No space left on device",
})

// server starts a server with a minion. It also returns an environment for programs that
// deploy to it, in which the system trusts its certificate.
func server(t *testing.T, minion any) (*spirotest.Server, []string) {
	t.Helper()
	srv := spirotest.New(t, spirotest.Options{TLS: true, Minions: []spirotest.Minion{{ID: "web1", Result: minion}}})
	return srv, []string{
		"SPIRO_URL=" + srv.URL(), "SPIRO_TOKEN=" + srv.Token(time.Hour, "shop"), trust(t, srv),
	}
}

// trust returns the variable that makes programs trust the certificates of servers. Go
// reads it on Unix, but not on macOS.
func trust(t *testing.T, servers ...*spirotest.Server) string {
	t.Helper()
	var all []byte
	for _, srv := range servers {
		all = append(all, srv.CertPEM()...)
	}
	file := filepath.Join(t.TempDir(), "trusted.pem")
	if err := os.WriteFile(file, all, 0o644); err != nil {
		t.Fatal(err)
	}
	return "SSL_CERT_FILE=" + file
}

// deployed fails the test unless the server has the deployment, with an artifact.
func deployed(t *testing.T, srv *spirotest.Server, artifact string) {
	t.Helper()
	d, ok := srv.Deployment("shop", "prod")
	if !ok {
		t.Fatal("nothing was deployed")
	}
	info, err := os.Stat(filepath.Join(d.Dir, "_artifacts", filepath.FromSlash(artifact)))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o100 == 0 {
		t.Errorf("%s is deployed with mode %v: nobody can run it", artifact, info.Mode())
	}
}

// written fails the test unless a file in dir has a text.
func written(t *testing.T, dir, name, text string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Error(err)
	} else if !strings.Contains(string(content), text) {
		t.Errorf("%s does not say %q:\n%.2000s", name, text, content)
	}
}

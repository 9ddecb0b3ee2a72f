// Package dagger_test drives the Dagger module through a real engine, against
// a server in this process that the engine reaches as a service.
package dagger_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dagger.io/dagger"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// module is the module's place, as a ref.
const module = "../.."

// engineTimeout is how long an engine may take for its first answer, since it may have to
// start.
const engineTimeout = 2 * time.Minute

// run runs the dagger command and returns what it prints.
func run(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	out, _, err := tell(t, ".", env, args...)
	return out, err
}

// tell runs the dagger command in a directory. It returns standard output and standard
// error.
func tell(t *testing.T, dir string, env []string, args ...string) (out, story string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "dagger", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "NO_COLOR=1", "DAGGER_NO_NAG=1")
	cmd.Env = append(cmd.Env, env...)
	var printed, told bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &told
	err = cmd.Run()
	t.Logf("dagger %s: %v\n%s", strings.Join(args, " "), err, told.String())
	return strings.TrimSpace(printed.String()), told.String(), err
}

// needEngine skips a test if there is no engine.
func needEngine(t *testing.T) {
	t.Helper()
	if why := noEngine(); why != "" {
		t.Skip("no Dagger engine to test with: " + why)
	}
}

// noEngine returns why there is no engine, or "". It asks once, and without a module: no
// test may skip because the module does not load.
var noEngine = sync.OnceValue(func() string {
	if _, err := exec.LookPath("dagger"); err != nil {
		return "there is no dagger command"
	}
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "dagger", "--silent", "query", "-M")
	cmd.Stdin = strings.NewReader("{ version }")
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return "dagger query: " + err.Error()
	}
	return ""
})

// server starts a server that has a minion for every deployment prod.
func server(t *testing.T, result any) *spirotest.Server {
	t.Helper()
	return spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Result: result}}})
}

// port returns the port of a server, as text.
func port(t *testing.T, srv *spirotest.Server) string {
	t.Helper()
	u, err := url.Parse(srv.URL())
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// call returns the arguments for a function of the module that reaches a server.
func call(t *testing.T, srv *spirotest.Server, function ...string) []string {
	t.Helper()
	return append([]string{
		"call", "-m", module, "--server=http://salt:4510/", "--insecure", "--service=tcp://localhost:" + port(t, srv),
	}, function...)
}

// posts counts deployments.
func posts(srv *spirotest.Server) int {
	n := 0
	for _, r := range srv.Requests() {
		if r.Method == http.MethodPost {
			n++
		}
	}
	return n
}

// project makes a repository with states, source and something built.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	makeProject(t, dir)
	return dir
}

func makeProject(t *testing.T, dir string) {
	t.Helper()
	for name, content := range map[string]string{
		"_salt/spirotop.sls": "prod: {'*': [web]}\n",
		"_salt/web.sls":      "x: test.nop\n",
		"_salt/web.pyc":      "left out",
		"main.go":            "package main\n",
		".gitignore":         "build/\n",
		"build/app":          "built here",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", ".")
	git(t, dir, "-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-q", "-m", "one")
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, said)
	}
}

// tarball writes a bundle with the library.
func tarball(t *testing.T, opts bundle.Options) (file, digest string) {
	t.Helper()
	b, err := bundle.New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	file = filepath.Join(t.TempDir(), "bundle.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := b.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	d, err := b.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return file, d.String()
}

func TestBundle(t *testing.T) {
	needEngine(t)
	dir := project(t)
	for source, scanner := range map[string]bundle.Scanner{"": nil, "filesystem": bundle.Filesystem, "git": bundle.Git} {
		t.Run("source "+source, func(t *testing.T) {
			_, want := tarball(t, bundle.Options{
				Dir: dir, Source: scanner, Exclude: []string{"*.pyc"},
				Artifacts: []bundle.Artifact{{Path: "build"}, {Path: "main.go", Name: "more/main.go"}},
			})
			file := filepath.Join(t.TempDir(), "bundle.tar")
			_, err := run(t, nil, "call", "-m", module,
				"with-artifact", "--name=more/main.go", "--file="+filepath.Join(dir, "main.go"),
				"bundle", "--dir="+dir, "--artifacts=build", "--include-source="+source, "--exclude=*.pyc",
				"export", "--path="+file)
			if err != nil {
				t.Fatal(err)
			}
			f, err := bundle.OpenFile(t.Context(), file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if got := digestOf(t, f); got != want {
				t.Errorf("the module's bundle is %s, the library's %s", got, want)
			}
		})
	}
}

func TestBundleFails(t *testing.T) {
	needEngine(t)
	dir := project(t)
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "_salt", "leaves")); err != nil {
		t.Fatal(err)
	}
	out, story, err := tell(t, ".", nil, "call", "-m", module, "bundle", "--dir="+dir, "size")
	if err == nil || !strings.Contains(story, "_salt/leaves: symbolic link to /etc/passwd") {
		t.Errorf("a tree that cannot be bundled is: %s, %v", out, err)
	}
	if strings.Contains(story, "failed to connect to session server") {
		t.Error("the engine tries to give a step a session")
	}
	empty := t.TempDir()
	if _, story, err := tell(t, ".", nil, "call", "-m", module, "bundle", "--dir="+empty, "size"); err == nil ||
		!strings.Contains(story, "dir has no _salt directory") || strings.Contains(story, "/project has") {
		t.Errorf("the error of an empty directory does not name the argument: %v", err)
	}
}

func TestRead(t *testing.T) {
	needEngine(t)
	dir := project(t)
	one, digest := tarball(t, bundle.Options{Dir: dir})
	two, _ := tarball(t, bundle.Options{Dir: dir, Exclude: []string{"*.pyc"}})
	if out, err := run(t, nil, "call", "-m", module, "digest", "--bundle="+one); err != nil || out != digest {
		t.Errorf("digest prints %q, %v; want %s", out, err, digest)
	}
	if out, err := run(t, nil, "call", "-m", module, "manifest", "--bundle="+one); err != nil || !strings.Contains(out, " web.sls") {
		t.Errorf("manifest prints %q, %v", out, err)
	}
	if out, err := run(t, nil, "call", "-m", module, "diff", "--old="+one, "--new="+two); err != nil || out != "- web.pyc" {
		t.Errorf("diff prints %q, %v", out, err)
	}
}

func TestDeploy(t *testing.T) {
	needEngine(t)
	srv := server(t, nil)
	file, digest := tarball(t, bundle.Options{Dir: project(t)})
	env := []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}
	args := call(t, srv, "deploy", "--bundle="+file, "--project=shop", "--deployment=prod", "--token=env:SPIRO_TOKEN")
	for n := 1; n <= 2; n++ {
		out, err := run(t, env, args...)
		if err != nil || !strings.Contains(out, "Success: shop/prod deployed") {
			t.Errorf("deploy prints %q, %v", out, err)
		}
		if got := posts(srv); got != n {
			t.Errorf("after %d calls there were %d deployments", n, got)
		}
	}
	if d, ok := srv.Deployment("shop", "prod"); !ok || d.Digest != digest {
		t.Error("the server got another bundle than the module sent")
	}
}

func TestDeployFails(t *testing.T) {
	needEngine(t)
	srv := server(t, spirotest.NoAnswer())
	file, _ := tarball(t, bundle.Options{Dir: project(t)})
	env := []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}
	args := []string{"--bundle=" + file, "--project=shop", "--deployment=prod", "--token=env:SPIRO_TOKEN"}
	if out, err := run(t, env, call(t, srv, append([]string{"deploy"}, args...)...)...); err == nil {
		t.Errorf("deploy with a minion that fails prints %q, and no error", out)
	}
	out, err := run(t, env, append(call(t, srv, append([]string{"deploy-report"}, args...)...), "exit-status")...)
	if err != nil || out != "1" {
		t.Errorf("the report of a minion that fails has the status %q, %v", out, err)
	}
}

func TestCheck(t *testing.T) {
	needEngine(t)
	srv := server(t, nil)
	args := call(t, srv, "check", "--token=env:SPIRO_TOKEN", "--project=shop")
	out, err := run(t, []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}, args...)
	if err != nil || !strings.Contains(out, "the token is valid") {
		t.Errorf("check prints %q, %v", out, err)
	}
	if out, err := run(t, []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "other")}, args...); err == nil {
		t.Errorf("check with a token for another project prints %q", out)
	}
}

// TestReportDeploysOnce reads a report twice in one session. The engine follows the whole
// chain again for each of the two queries.
func TestReportDeploysOnce(t *testing.T) {
	needEngine(t)
	path, err := exec.LookPath("dagger")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", path)
	srv := server(t, nil)
	file, _ := tarball(t, bundle.Options{Dir: project(t)})
	number, err := strconv.Atoi(port(t, srv))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	client, err := dagger.Connect(ctx, dagger.WithLogOutput(os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ModuleSource(module).AsModule().Serve(ctx); err != nil {
		t.Fatal(err)
	}
	report := client.QueryBuilder().Select("spirodeploy").
		Arg("server", "http://salt:4510/").
		Arg("insecure", true).
		Arg("service", client.Host().Service([]dagger.PortForward{{Backend: number, Frontend: 4510}})).
		Select("deployReport").
		Arg("bundle", client.Host().File(file)).
		Arg("project", "shop").
		Arg("deployment", "prod").
		Arg("token", client.SetSecret("SPIRO_TOKEN", srv.Token(time.Hour, "shop")))
	var succeeded bool
	var summary string
	if err := report.Select("succeeded").Bind(&succeeded).Execute(ctx); err != nil {
		t.Fatal(err)
	}
	if err := report.Select("summary").Bind(&summary).Execute(ctx); err != nil {
		t.Fatal(err)
	}
	if !succeeded || !strings.Contains(summary, "Success: ") || posts(srv) != 1 {
		t.Errorf("two reads of a report (%t, %q) deployed %d times", succeeded, summary, posts(srv))
	}
}

func digestOf(t *testing.T, b *bundle.Bundle) string {
	t.Helper()
	d, err := b.Digest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

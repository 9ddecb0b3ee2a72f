package dagger_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dagger.io/dagger"

	"github.com/spirostack/spirodeploy/internal/dev/generate"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// TestLoads: if the module does not load on the engine, this test fails. The other tests
// must not skip for that.
func TestLoads(t *testing.T) {
	needEngine(t)
	out, err := run(t, nil, "functions", "-m", module)
	for _, function := range []string{"bundle", "deploy", "deploy-report", "rollout", "check", "deployable", "image", "digest", "manifest", "diff"} {
		if !strings.Contains(out, function) {
			t.Errorf("the module has no function %s: %v\n%s", function, err, out)
		}
	}
}

// TestServerGoesAway: the engine keeps a connection to a service open even if the server
// has gone. A time limit ends the wait.
func TestServerGoesAway(t *testing.T) {
	needEngine(t)
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Delay: time.Hour}}})
	file, _ := tarball(t, bundle.Options{Dir: project(t)})
	args := call(t, srv, "deploy-report", "--bundle="+file, "--project=shop", "--deployment=prod", "--token=env:SPIRO_TOKEN", "--timeout=20s", "exit-status")
	out, err := run(t, []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}, args...)
	if err != nil || out != "6" {
		t.Errorf("a server that says nothing any more has the status %q, %v", out, err)
	}
}

// TestTimeoutIsRead: the module refuses an invalid time limit before it sends anything.
func TestTimeoutIsRead(t *testing.T) {
	needEngine(t)
	srv := server(t, nil)
	file, _ := tarball(t, bundle.Options{Dir: project(t)})
	args := call(t, srv, "deploy", "--bundle="+file, "--project=shop", "--deployment=prod", "--token=env:SPIRO_TOKEN", "--timeout=soon")
	_, story, err := tell(t, ".", []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}, args...)
	if err == nil || !strings.Contains(story, "1h30m") || posts(srv) != 0 {
		t.Errorf("an invalid timeout: %v, %d deployments", err, posts(srv))
	}
}

// TestWarningsInEachSession: each session shows the warnings once, even if the engine has
// the result in its cache.
func TestWarningsInEachSession(t *testing.T) {
	needEngine(t)
	dir := project(t)
	for session := 1; session <= 2; session++ {
		_, story, err := tell(t, ".", nil, "call", "-m", module, "bundle", "--dir="+dir, "--exclude=nothing-has-this-name", "size")
		if n := strings.Count(story, "warning: nothing matches the exclude pattern"); err != nil || n != 1 {
			t.Errorf("in session %d the warning is told %d times, %v", session, n, err)
		}
	}
}

// TestRolloutRefusesService: a rollout with a service is refused, since all servers would
// be the one behind it.
func TestRolloutRefusesService(t *testing.T) {
	needEngine(t)
	srv := server(t, nil)
	file, _ := tarball(t, bundle.Options{Dir: project(t)})
	args := call(t, srv, "rollout", "--bundle="+file, "--servers=http://a:4510/,http://b:4510/", "--project=shop", "--deployment=prod",
		"--token=env:SPIRO_TOKEN", "summary")
	_, story, err := tell(t, ".", []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}, args...)
	if err == nil || !strings.Contains(story, "leave --service out") || posts(srv) != 0 {
		t.Errorf("a rollout through a service: %v, %d deployments", err, posts(srv))
	}
}

// TestNobodyBehindService: the engine accepts a connection to a service behind which
// nobody listens.
func TestNobodyBehindService(t *testing.T) {
	needEngine(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	srv := server(t, nil) // for its token
	_, story, err := tell(t, ".", []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")},
		"call", "-m", module, "--server=http://salt:4510/", "--insecure", "--service=tcp://localhost:"+port, "check", "--token=env:SPIRO_TOKEN")
	if err == nil || !strings.Contains(story, "instead of the server's host") {
		t.Errorf("a service that nothing listens behind: %v", err)
	}
}

// TestFormatIsRefused: the module refuses an unknown format before it deploys anything.
func TestFormatIsRefused(t *testing.T) {
	needEngine(t)
	srv := server(t, nil)
	file, _ := tarball(t, bundle.Options{Dir: project(t)})
	env := []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}
	args := call(t, srv, "deploy-report", "--bundle="+file, "--project=shop", "--deployment=prod", "--token=env:SPIRO_TOKEN", "file")
	if out, err := run(t, env, append(args, "--format=pdf", "contents")...); err == nil || posts(srv) != 0 {
		t.Errorf("a report as pdf: %q, %v, %d deployments", out, err, posts(srv))
	}
	for format, begins := range map[string]string{"html": "<!DOCTYPE html>", "json": "{", "junit": "<?xml", "markdown": "#"} {
		if out, err := run(t, env, append(args, "--format="+format, "contents")...); err != nil || !strings.HasPrefix(out, begins) {
			t.Errorf("a report as %s: %.100q, %v", format, out, err)
		}
	}
}

// TestAssert: the report of a failed deployment fails if the caller asks it to.
func TestAssert(t *testing.T) {
	needEngine(t)
	srv := server(t, spirotest.NoAnswer())
	file, _ := tarball(t, bundle.Options{Dir: project(t)})
	args := call(t, srv, "deploy-report", "--bundle="+file, "--project=shop", "--deployment=prod", "--token=env:SPIRO_TOKEN", "assert")
	if out, err := run(t, []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}, args...); err == nil {
		t.Errorf("assert of a deployment that failed prints %q", out)
	}
}

// TestExpectedMinions: it is a failure if an expected minion is not reached, unless the
// call says otherwise.
func TestExpectedMinions(t *testing.T) {
	needEngine(t)
	srv := server(t, nil)
	file, _ := tarball(t, bundle.Options{Dir: project(t)})
	env := []string{"SPIRO_TOKEN=" + srv.Token(time.Hour, "shop")}
	args := call(t, srv, "deploy-report", "--bundle="+file, "--project=shop", "--deployment=prod", "--token=env:SPIRO_TOKEN", "--expect-minions=db1")
	for means, want := range map[string]string{"fail": "1", "warn": "0"} {
		if out, err := run(t, env, append(args, "--missing-minions="+means, "exit-status")...); err != nil || out != want {
			t.Errorf("with --missing-minions=%s the status is %q, %v", means, out, err)
		}
	}
}

// TestBorrowedObjects: if a repository shares the objects of another one, a warning says
// what the bundle lacks.
func TestBorrowedObjects(t *testing.T) {
	needEngine(t)
	dir := filepath.Join(t.TempDir(), "clone")
	git(t, t.TempDir(), "clone", "-q", "--shared", project(t), dir)
	_, story, err := tell(t, ".", nil, "call", "-m", module, "bundle", "--dir="+dir, "size")
	if err != nil || !strings.Contains(story, "git repack -a -d") {
		t.Errorf("the bundle of a clone with alternates: %v", err)
	}
}

// TestPipeIsRefused: the module refuses a pipe that another step left in a directory, as
// the command does. (A pipe on this machine never gets to the engine.)
func TestPipeIsRefused(t *testing.T) {
	needEngine(t)
	client := session(t)
	dir := client.Container().From("alpine:3.22").
		WithExec([]string{"sh", "-c", "mkdir -p /p/_salt && touch /p/_salt/web.sls && mkfifo /p/_salt/pipe"}).Directory("/p")
	var size int
	err := client.QueryBuilder().Select("spirodeploy").Select("bundle").Arg("dir", dir).Select("size").Bind(&size).Execute(t.Context())
	if err == nil || !strings.Contains(err.Error(), "_salt/pipe: is a named pipe") {
		t.Errorf("a named pipe is bundled: %v", err)
	}
}

// session connects to an engine that serves the module.
func session(t *testing.T) *dagger.Client {
	t.Helper()
	path, err := exec.LookPath("dagger")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("_EXPERIMENTAL_DAGGER_CLI_BIN", path)
	client, err := dagger.Connect(t.Context(), dagger.WithLogOutput(os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.ModuleSource(module).AsModule().Serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client
}

// TestSettings: the arguments of the constructor hold for each bundle, and those of the
// function are added.
func TestSettings(t *testing.T) {
	needEngine(t)
	dir := project(t)
	_, want := tarball(t, bundle.Options{
		Dir: dir, Source: bundle.Git, Exclude: []string{"*.pyc", "*.go"}, Artifacts: []bundle.Artifact{{Path: "build"}, {Path: ".gitignore", Name: "ignored"}},
	})
	file := filepath.Join(t.TempDir(), "bundle.tar")
	if _, err := run(t, nil, "call", "-m", module, "--artifacts=build", "--exclude=*.pyc", "--include-source=git",
		"bundle", "--dir="+dir, "--artifacts=ignored=.gitignore", "--exclude=*.go", "export", "--path="+file); err != nil {
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
}

// TestDeployable checks the caller's project, with -m and with the module installed.
func TestDeployable(t *testing.T) {
	needEngine(t)
	dir := project(t)
	// A module on disk has to be in the repository that installs it.
	copied := filepath.Join(dir, "ci", "spirodeploy")
	if err := generate.Upload(t.Context(), module, copied); err != nil {
		t.Fatal(err)
	}
	ref := "./ci/spirodeploy"
	top := filepath.Join(dir, "_salt", "spirotop.sls")
	check := func(t *testing.T, args ...string) {
		t.Helper()
		write(t, top, "prod: {'*': [web]}\n")
		if _, _, err := tell(t, dir, nil, args...); err != nil {
			t.Errorf("a project that can be deployed: %v", err)
		}
		write(t, top, "prod: {'*': [wbe]}\nstaging: {'*': [db]}\n")
		_, story, err := tell(t, dir, nil, args...)
		for _, words := range []string{"names the SLS wbe", "did you mean web?", "names the SLS db"} {
			if err == nil || !strings.Contains(story, words) {
				t.Errorf("a top file that names a missing SLS: %v, without %q", err, words)
			}
		}
	}
	t.Run("call", func(t *testing.T) { check(t, "call", "-m", ref, "deployable") })
	t.Run("installed", func(t *testing.T) {
		if _, _, err := tell(t, dir, nil, "init"); err != nil {
			t.Log("dagger init fails, as it may with an engine that has workspaces")
		}
		if _, _, err := tell(t, dir, nil, "toolchain", "install", ref); err != nil { // 0.21
			if _, _, err := tell(t, dir, nil, "install", ref); err != nil { // 1.0
				t.Fatalf("the module cannot be installed: %v", err)
			}
		}
		list, _, err := tell(t, dir, nil, "check", "-l")
		if err != nil || !strings.Contains(list, "deployable") {
			t.Errorf("the checks are %q, %v", list, err)
		}
		check(t, "check")
	})
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestImage: the image has the command and everything that it needs to bundle and to
// deploy.
func TestImage(t *testing.T) {
	needEngine(t)
	out, err := run(t, nil, "call", "-m", module, "image", "with-exec", "--args=--version", "--use-entrypoint", "stdout")
	if err != nil || !strings.HasPrefix(out, "spiro-deploy ") {
		t.Errorf("--version in the image prints %q, %v", out, err)
	}
	dir := t.TempDir()
	makeProject(t, dir)
	_, want := tarball(t, bundle.Options{Dir: dir, Files: map[string][]byte{bundle.GitCommitFile: nil}}) // there is no git
	file := filepath.Join(t.TempDir(), "bundle.tar")
	if _, err := run(t, nil, "call", "-m", module, "image", "with-mounted-directory", "--path=/project", "--source="+dir,
		"with-exec", "--args=--output,/tmp/bundle.tar", "--use-entrypoint", "file", "--path=/tmp/bundle.tar", "export", "--path="+file); err != nil {
		t.Fatal(err)
	}
	f, err := bundle.OpenFile(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := digestOf(t, f); got != want {
		t.Errorf("the image's bundle is %s, the library's %s", got, want)
	}
	certificates, err := run(t, nil, "call", "-m", module, "image", "file", "--path=/etc/ssl/certs/ca-certificates.crt", "contents")
	if err != nil || !strings.Contains(certificates, "-----BEGIN CERTIFICATE-----") {
		t.Errorf("the image has no certificates: %v", err)
	}
}

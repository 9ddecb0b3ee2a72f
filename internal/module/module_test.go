package module_test

import (
	"bytes"
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace/noop"

	"github.com/spirostack/spirodeploy/internal/module"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	spirotoken "github.com/spirostack/spirodeploy/spirodeploy/token"
)

// tarball writes a bundle whose top file targets every minion.
func tarball(t *testing.T) string {
	t.Helper()
	b, err := bundle.New(t.Context(), bundle.Options{
		Dir:   t.TempDir(),
		Files: map[string][]byte{"spirotop.sls": []byte("prod: {'*': [web]}\n"), "web.sls": []byte("x: test.nop\n"), bundle.GitCommitFile: nil},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	file := filepath.Join(t.TempDir(), "bundle.tar")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := b.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	return file
}

func parse(t *testing.T, s string) spirotoken.Token {
	t.Helper()
	tok, err := module.ParseToken(s)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// order returns options to deploy to a server under another name, as behind a service.
func order(t *testing.T, srv *spirotest.Server, secret string) spirodeploy.Options {
	t.Helper()
	return spirodeploy.Options{
		Project: "shop", Deployment: "prod", File: tarball(t),
		Server: client.Options{
			Server: "http://salt:4510/", Insecure: true, Token: parse(t, secret),
			Address: strings.TrimSuffix(strings.TrimPrefix(srv.URL(), "http://"), "/"),
		},
	}
}

func deploy(t *testing.T, opts spirodeploy.Options, servers ...string) (*module.Outcome, string) {
	t.Helper()
	var out bytes.Buffer
	outcome, err := module.Deploy(t.Context(), opts, servers, noop.NewTracerProvider().Tracer(""), &out)
	if err != nil {
		t.Fatal(err)
	}
	return outcome, out.String()
}

func TestDeploy(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	secret := srv.Token(time.Hour, "shop")
	outcome, story := deploy(t, order(t, srv, secret))
	if !outcome.Succeeded || outcome.ExitStatus != 0 || outcome.Err() != nil {
		t.Errorf("outcome %+v", outcome)
	}
	if !strings.Contains(outcome.Summary, "Success: shop/prod deployed") || strings.HasSuffix(outcome.Summary, "\n") {
		t.Errorf("summary %q", outcome.Summary)
	}
	if !strings.Contains(story, "web1 succeeded") {
		t.Errorf("story %q", story)
	}
	name, content, err := outcome.File("json")
	var rep report.Report
	if err != nil || name != "report.json" || json.Unmarshal([]byte(content), &rep) != nil || rep.Verdict != report.Success {
		t.Errorf("File = %s, %v", name, err)
	}
	if strings.Contains(story+outcome.Summary+outcome.JSON, secret) {
		t.Error("the token is shown")
	}
}

// TestBlankAround: the end of a file's line is no part of a server's URL, wherever it is given.
func TestBlankAround(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	opts := order(t, srv, srv.Token(time.Hour, "shop"))
	opts.Server.Server = " " + srv.URL() + "\n"
	opts.Server.Address = ""
	if outcome, _ := deploy(t, opts); !outcome.Succeeded {
		t.Errorf("deploy: %s", outcome.Summary)
	}
	if outcome, _ := deploy(t, opts, opts.Server.Server); !outcome.Succeeded {
		t.Errorf("rollout: %s", outcome.Summary)
	}
	if _, err := module.Check(t.Context(), opts.Server, "shop"); err != nil {
		t.Errorf("check: %v", err)
	}
	if port := module.Port("https://salt:4510/\n", []int{80, 4510}); port != 4510 {
		t.Errorf("the port is %d", port)
	}
}

func TestDeployFails(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{
		{ID: "web1", Result: spirotest.States(spirotest.State{ID: "x", Result: spirotest.Failed})},
	}})
	failed, _ := deploy(t, order(t, srv, srv.Token(time.Hour, "shop")))
	refused, _ := deploy(t, order(t, srv, srv.Token(time.Hour, "other")))
	nameless := order(t, srv, srv.Token(time.Hour, "shop"))
	nameless.Project = "a/b"
	invalid, _ := deploy(t, nameless)
	for _, test := range []struct {
		got    *module.Outcome
		status []int
		words  string
	}{
		{failed, []int{1}, "web1"},
		{refused, []int{2, 3}, "project"}, // from the token, or from the server
		{invalid, []int{2}, "a/b"},
	} {
		found := false
		for _, s := range test.status {
			found = found || s == test.got.ExitStatus
		}
		err := test.got.Err()
		if !found || test.got.Succeeded || err == nil || err.Error() != test.got.Summary || !strings.Contains(err.Error(), test.words) {
			t.Errorf("outcome %+v, want status %v and %q", test.got, test.status, test.words)
		}
	}
}

func TestDeployInterrupted(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Delay: time.Minute}}})
	ctx, cancel := context.WithCancel(t.Context())
	out := writer(func(p []byte) {
		if bytes.Contains(p, []byte("highstate")) {
			cancel()
		}
	})
	_, err := module.Deploy(ctx, order(t, srv, srv.Token(time.Hour, "shop")), nil, noop.NewTracerProvider().Tracer(""), out)
	if err == nil || !strings.Contains(err.Error(), "may be going on") {
		t.Errorf("Deploy that is interrupted: %v", err)
	}
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

func TestCheck(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	opts := client.Options{Server: srv.URL(), Insecure: true, Token: parse(t, srv.Token(time.Hour, "shop"))}
	for project, want := range map[string]string{
		"": "the token is valid", "shop": "the token is valid", "other": "not for the project other", "a/b": "a/b",
	} {
		said, err := module.Check(t.Context(), opts, project)
		if err != nil {
			said = err.Error()
		}
		if bad := project == "other" || project == "a/b"; bad != (err != nil) || !strings.Contains(said, want) {
			t.Errorf("Check for %q: %s, %v", project, said, err)
		}
	}
	opts.Token = parse(t, srv.Token(time.Hour, "\x1b[31mred"))
	if said, err := module.Check(t.Context(), opts, "a/b"); err == nil || !strings.Contains(err.Error(), "a/b") {
		t.Errorf("Check for a/b: %s, %v", said, err)
	}
	if said, err := module.Check(t.Context(), opts, "shop"); err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("Check for another project: %s, %q", said, err)
	}
	opts.Token = parse(t, srv.Token(-time.Hour, "shop"))
	if said, err := module.Check(t.Context(), opts, ""); err == nil {
		t.Errorf("Check of a token that has expired: %s", said)
	}
	opts.Insecure = false
	if _, err := module.Check(t.Context(), opts, ""); err == nil {
		t.Error("Check sends a token over plain HTTP")
	}
}

// TestCheckOpaque: Check does not claim that a token is for a project if nobody can read it.
func TestCheckOpaque(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "Auth OK") }))
	t.Cleanup(srv.Close)
	opts := client.Options{Server: srv.URL, Insecure: true, Token: parse(t, "a-token-of-another-kind")}
	said, err := module.Check(t.Context(), opts, "shop")
	if err != nil || !strings.Contains(said, "the token is valid\nwarning: nobody but the server knows whether the token is for the project shop") {
		t.Errorf("%q, %v", said, err)
	}
	if said, err = module.Check(t.Context(), opts, ""); err != nil || strings.Contains(said, "warning") {
		t.Errorf("without a project: %q, %v", said, err)
	}
}

// TestNotUploaded checks that the function bundle leaves out the same paths as the check.
func TestNotUploaded(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	if pragma := `// +ignore=["` + strings.Join(module.NotUploaded, `", "`) + `"]`; !strings.Contains(string(source), pragma) {
		t.Errorf("main.go does not have %s", pragma)
	}
	// Under dagger -m, the pragma would mean the root of the module, not the caller's project.
	if strings.Contains(string(source), "+defaultPath") {
		t.Error("main.go has a +defaultPath: take a *dagger.Workspace")
	}
}

func TestParseToken(t *testing.T) {
	t.Parallel()
	if _, err := module.ParseToken(" \n"); err == nil {
		t.Error("white space is a token")
	}
	if _, err := module.ParseToken("abc def"); err == nil || strings.Contains(err.Error(), "abc") {
		t.Errorf("ParseToken of two words: %v", err)
	}
}

func TestPort(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		server  string
		exposed []int
		want    int
	}{
		{"https://salt:4510/", []int{4505, 4506, 4510}, 4510},
		{"https://salt:4510/", []int{8080}, 0},
		{"https://salt/", []int{80, 443}, 443},
		{"http://salt/", []int{443, 80}, 80},
		{"https://salt:4510/", nil, 0},
		{"%", []int{80}, 0},
	} {
		if got := module.Port(test.server, test.exposed); got != test.want {
			t.Errorf("Port(%s, %v) = %d, want %d", test.server, test.exposed, got, test.want)
		}
	}
}

func TestCheckArtifact(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"a": true, "a/b c": true, ".github/x": true, ".git": false, "a/.git/b": false, "": false, ".": false, "/a": false, "../a": false, "a/../b": false, "a//b": false, "a/": false,
	} {
		if err := module.CheckArtifact(name); (err == nil) != want {
			t.Errorf("CheckArtifact(%q): %v", name, err)
		}
	}
	// The words are those of a bundle.
	dir := t.TempDir()
	_, err := bundle.New(t.Context(), bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{{Path: dir, Name: "a/.git/b"}}})
	if err == nil {
		t.Fatal("an artifact in .git")
	}
	_, words, _ := strings.Cut(err.Error(), "artifact: ")
	if err := module.CheckArtifact("a/.git/b"); words == "" || !strings.HasSuffix(err.Error(), words) {
		t.Errorf("%v, and a bundle says %q", err, words)
	}
}

// TestContradictions: arguments that cannot be meant together, and values that are most often
// those of a variable that is not set, deploy nothing.
func TestContradictions(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	secret := srv.Token(time.Hour, "shop")
	for want, change := range map[string]func(*spirodeploy.Options){
		"--expect-minions has no effect with --highstate=false, which asks no minion":          func(o *spirodeploy.Options) { o.NoHighstate, o.ExpectMinions = true, []string{"web1"} },
		"--min-minions has no effect with --highstate=false, which asks no minion":             func(o *spirodeploy.Options) { o.NoHighstate, o.MinMinions = true, 1 },
		"least number of minions: -1 is not between 0 and 100000: correct --min-minions":       func(o *spirodeploy.Options) { o.MinMinions = -1 },
		"--max-parallel has no effect with --serial":                                           func(o *spirodeploy.Options) { o.Serial, o.MaxParallel = true, 2 },
		"number of targets at once: -1 is negative: correct --max-parallel":                    func(o *spirodeploy.Options) { o.MaxParallel = -1 },
		`expected minion " ": it is empty`:                                                     func(o *spirodeploy.Options) { o.ExpectMinions = []string{"web1", " "} },
		`--expect-minions "web*": it takes the id of one minion, not a pattern: --min-minions`: func(o *spirodeploy.Options) { o.ExpectMinions = []string{"web*"} },
		"--server is given and empty: is a variable not set?":                                  func(o *spirodeploy.Options) { o.Server.Server = " " },
	} {
		opts := order(t, srv, secret)
		change(&opts)
		outcome, _ := deploy(t, opts)
		if outcome.ExitStatus != report.Invalid.ExitStatus() || !strings.Contains(outcome.Summary, want) {
			t.Errorf("status %d, want %q:\n%s", outcome.ExitStatus, want, outcome.Summary)
		}
	}
	if _, ok := srv.Deployment("shop", "prod"); ok {
		t.Error("something was deployed")
	}
	_, err := module.Check(t.Context(), client.Options{Token: parse(t, secret)}, "")
	if err == nil || !strings.Contains(err.Error(), "--server is given and empty") {
		t.Errorf("check of no server: %v", err)
	}
	if err := module.CheckServers([]string{srv.URL(), ""}, false); err == nil || !strings.Contains(err.Error(), "empty value") {
		t.Errorf("a rollout to a server without a name: %v", err)
	}
}

// TestLogin: user and password belong together, and the end of a file's line to neither.
func TestLogin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ user, password, want, wrong string }{
		{"ci", "s3cret", "s3cret", ""},
		{"ci", " s3cret \r\n", " s3cret ", ""},
		{"", "", "", ""},
		{"", "s3cret", "", "without --username"},
		{"ci", "\n", "", "without --password"},
	} {
		find, err := module.Login(test.user, test.password)
		if err != nil || test.wrong != "" {
			if err == nil || test.wrong == "" || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q, %q: %v", test.user, test.password, err)
			}
			continue
		}
		if find == nil {
			if test.want != "" {
				t.Errorf("%q, %q: no login", test.user, test.password)
			}
			continue
		}
		if l, err := find(t.Context(), "registry.example.com"); err != nil || l.Username != test.user || l.Password != test.want {
			t.Errorf("%q, %q gives the password %q, %v", test.user, test.password, l.Password, err)
		}
	}
}

// TestRollout checks that all servers get the bundle, and that the report has a part for each.
func TestRollout(t *testing.T) {
	t.Parallel()
	key := []byte("of both")
	near := spirotest.New(t, spirotest.Options{Key: key, Minions: []spirotest.Minion{{ID: "web1"}}})
	far := spirotest.New(t, spirotest.Options{Key: key, Minions: []spirotest.Minion{{ID: "web2"}}})
	opts := order(t, near, near.Token(time.Hour, "shop")) // with the address of a service, which a rollout must ignore
	servers := []string{near.URL(), far.URL()}
	if err := module.CheckServers(servers, false); err != nil {
		t.Fatal(err)
	}
	outcome, story := deploy(t, opts, servers...)
	var rep report.Report
	if err := json.Unmarshal([]byte(outcome.JSON), &rep); err != nil || len(rep.Targets) != 2 || !outcome.Succeeded {
		t.Errorf("%v: %s", err, outcome.JSON)
	}
	if !strings.Contains(outcome.Summary, "Success: 2 targets") || !strings.Contains(story, "] highstate web2 succeeded") {
		t.Errorf("summary\n%s\nstory\n%s", outcome.Summary, story)
	}
	if _, ok := far.Deployment("shop", "prod"); !ok {
		t.Error("the second server got nothing")
	}
	if err := module.CheckServers(nil, false); err == nil {
		t.Error("a rollout to no server")
	}
	if err := module.CheckServers([]string{near.URL()}, true); err == nil || !strings.Contains(err.Error(), "leave --service out") {
		t.Errorf("a rollout through a service: %v", err)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text             string
		service          bool
		timeout, silence time.Duration
		bad              bool
	}{
		{"", false, 0, 0, false},
		{"", true, 0, module.Silence, false},
		{"1h30m", true, 90 * time.Minute, 0, false},
		{"45s", false, 45 * time.Second, 0, false},
		{"0", true, 0, 0, false},
		{"90", false, 0, 0, true},
		{"-1s", false, 0, 0, true},
		{"soon", true, 0, 0, true},
	} {
		timeout, silence, err := module.Limits(test.text, test.service)
		if (err != nil) != test.bad || timeout != test.timeout || silence != test.silence {
			t.Errorf("Limits(%q, %t) = %s, %s, %v", test.text, test.service, timeout, silence, err)
		}
		if err != nil && !strings.Contains(err.Error(), "1h30m") {
			t.Errorf("the error does not say what would be right: %v", err)
		}
	}
}

// TestSilent checks that the verdict is unknown if a server behind a service falls silent.
func TestSilent(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Delay: time.Hour}}})
	opts := order(t, srv, srv.Token(time.Hour, "shop"))
	opts.Server.Silence = 300 * time.Millisecond
	outcome, _ := deploy(t, opts)
	if outcome.Succeeded || outcome.ExitStatus != 6 || !strings.Contains(outcome.Summary, "the limit for silence") {
		t.Errorf("a server that says nothing any more: %+v", outcome)
	}
}

// TestFormats checks that a report's files are the same as those of the run itself.
func TestFormats(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	outcome, _ := deploy(t, order(t, srv, srv.Token(time.Hour, "shop")))
	begins := map[string]string{"html": "<!DOCTYPE html>", "json": "{", "junit": "<?xml", "markdown": "#"}
	for _, format := range module.Formats() {
		name, content, err := outcome.File(format)
		if err != nil || !strings.HasPrefix(name, "report.") || !strings.HasPrefix(content, begins[format]) || !strings.Contains(content, "web1") {
			t.Errorf("%s: %s, %v: %.200s", format, name, err, content)
		}
	}
	if declared := enum(t, "Format"); !slices.Equal(declared, module.Formats()) {
		t.Errorf("the module's Format has %v, and there are %v", declared, module.Formats())
	}
	if _, _, err := outcome.File("pdf"); err == nil || !strings.Contains(err.Error(), "json") {
		t.Errorf("File of an unknown format: %v", err)
	}
}

// enum returns the sorted values of an enum of the module. It reads the source, because
// package main cannot be imported.
func enum(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "report.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); !ok || typ.Name != name {
			return true
		}
		for _, v := range spec.Values {
			if literal, ok := v.(*ast.BasicLit); ok {
				values = append(values, strings.Trim(literal.Value, `"`))
			}
		}
		return true
	})
	slices.Sort(values)
	return values
}

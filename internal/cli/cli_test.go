package cli_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		"":           nil,
		"a":          {"a"},
		"a,b":        {"a", "b"},
		`a\,b,c`:     {"a,b", "c"},
		`a\b,\`:      {`a\b`, `\`},
		",a,,b,":     {"a", "b"},
		`x=a\,b,\,`:  {"x=a,b", ","},
		"a b, c":     {"a b", " c"},
		`C:\dir,\\,`: {`C:\dir`, `\,`},
	} {
		if got := cli.Split(in); !slices.Equal(got, want) {
			t.Errorf("Split(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCheckPosition(t *testing.T) {
	t.Parallel()
	if err := cli.CheckPosition("shop", "prod"); err != nil {
		t.Error(err)
	}
	err := cli.CheckPosition("shop", "-artifact=a")
	var with *cli.Error
	if !errors.As(err, &with) || with.ExitStatus() != 2 || !strings.Contains(err.Error(), "flags go after PROJECT DEPLOYMENT") {
		t.Errorf("error %v", err)
	}
}

// world is one with this environment; the buffers are its outputs.
func world(env map[string]string) (w cli.World, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	return cli.World{Getenv: func(name string) string { return env[name] }, Stdout: stdout, Stderr: stderr}, stdout, stderr
}

// TestProxy: the proxy of the environment is used, and not for loopback.
func TestProxy(t *testing.T) {
	t.Parallel()
	asked := 0
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write([]byte("Auth OK"))
	}))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy"} {
		w, _, _ := world(map[string]string{name: proxy.URL, "SPIRO_TOKEN": "a-token", "NO_PROXY": "inside"})
		if err := w.Check(t.Context(), cli.Settings{Servers: []string{"http://salt.invalid:4510/"}, Insecure: true}); err != nil {
			t.Error(err)
		}
	}
	w, _, _ := world(map[string]string{"HTTP_PROXY": proxy.URL, "SPIRO_TOKEN": "a-token", "REQUEST_METHOD": "GET"})
	if err := w.Check(t.Context(), cli.Settings{Servers: []string{"http://salt.invalid:4510/"}, Insecure: true}); err == nil {
		t.Error("HTTP_PROXY was believed where it is a request's header")
	}
	server := spirotest.New(t, spirotest.Options{})
	w, _, _ = world(map[string]string{"HTTP_PROXY": proxy.URL, "SPIRO_TOKEN": server.Token(0)})
	if err := w.Check(t.Context(), cli.Settings{Servers: []string{server.URL()}, Insecure: true}); err != nil {
		t.Error(err)
	}
	if asked != 2 {
		t.Errorf("the proxy was asked %d times, want 2", asked)
	}
}

// TestCheckOpaque: a check of a project warns if the token cannot be read.
func TestCheckOpaque(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("Auth OK")) }))
	defer server.Close()
	for project, want := range map[string]string{"": "", "shop": "warning: nobody but the server knows whether the token is for the project shop: what the token allows cannot be read: it is not a macaroon\n"} {
		w, stdout, stderr := world(map[string]string{"SPIRO_TOKEN": "an-opaque-token"})
		err := w.Check(t.Context(), cli.Settings{Project: project, Servers: []string{server.URL}, Insecure: true})
		if err != nil || stderr.String() != want || !strings.Contains(stdout.String(), "the token is valid") {
			t.Errorf("%q: %v, %q, %q", project, err, stdout, stderr)
		}
	}
}

// TestToken tells what tokens allow, and never shows them.
func TestToken(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	for _, tt := range []struct {
		name, token string
		status      int
		says        string
	}{
		{"one project", server.Token(time.Hour, "shop"), 0, "for shop, valid from "},
		{"all, for ever", server.Token(0), 0, "for every project, valid from "},
		{"expired", server.Token(-time.Hour, "shop", "blog"), 2, "for shop, blog, valid from "},
		{"no macaroon", "just-some-word", 2, ""},
		{"none", " ", 2, ""},
	} {
		w, stdout, stderr := world(map[string]string{"SPIRO_TOKEN": tt.token})
		err := w.Token(t.Context(), cli.Settings{})
		status := 0
		var with *cli.Error
		if errors.As(err, &with) {
			status = with.ExitStatus()
		}
		if status != tt.status || !strings.HasPrefix(stdout.String(), tt.says) {
			t.Errorf("%s: status %d, %q, %v", tt.name, status, stdout, err)
		}
		if all := stdout.String() + stderr.String(); len(tt.token) > 3 && (strings.Contains(all, tt.token) || err != nil && strings.Contains(err.Error(), tt.token)) {
			t.Errorf("%s: the token is shown", tt.name)
		}
	}
}

// TestNarrow makes narrower tokens, which go where they are told to and nowhere else.
func TestNarrow(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{})
	path := filepath.Join(t.TempDir(), "token")
	for _, tt := range []struct {
		name     string
		token    string
		settings cli.Settings
		want     string // of the rights; none for an error
		says     string
	}{
		{"project", server.Token(0), cli.Settings{Projects: []string{"shop"}, Output: path}, "for shop, ", "for shop, "},
		{"lifetime", server.Token(0, "shop", "blog"), cli.Settings{Lifetime: new(time.Hour), Output: path}, "for shop, blog, ", "expires "},
		{"to standard output", server.Token(0), cli.Settings{Projects: []string{"shop", "blog"}, Lifetime: new(time.Minute), Output: "-"}, "for shop, blog, ", "for shop, blog, "},
		{"nowhere", server.Token(0), cli.Settings{Projects: []string{"shop"}}, "", "-output=FILE"},
		{"nothing narrower", server.Token(0), cli.Settings{Output: path}, "", "--project or --lifetime"},
		{"not its project", server.Token(0, "shop"), cli.Settings{Projects: []string{"shop", "blog"}, Output: path}, "", "not for the project blog"},
		{"harmful names", server.Token(0, "a\x1b[2J"), cli.Settings{Projects: []string{"shop"}, Output: path}, "", `not for the project shop but for a\x1b[2J, `},
		{"no name", server.Token(0), cli.Settings{Projects: []string{"a/b"}, Output: path}, "", "it contains a /"},
		{"expired", server.Token(-time.Hour), cli.Settings{Projects: []string{"shop"}, Output: path}, "", "has expired"},
		{"expired, for a time", server.Token(-time.Hour), cli.Settings{Lifetime: new(time.Hour), Output: path}, "", "has expired"},
		{"negative", server.Token(0), cli.Settings{Lifetime: new(-time.Hour), Output: path}, "", "must be more than 0"},
		{"no macaroon", "just-some-word-or-so", cli.Settings{Lifetime: new(time.Hour), Output: path}, "", "cannot be narrowed"},
	} {
		_ = os.Remove(path)
		w, stdout, stderr := world(map[string]string{"SPIRO_TOKEN": tt.token})
		err := w.Token(t.Context(), tt.settings)
		if tt.want == "" {
			var with *cli.Error
			if !errors.As(err, &with) || with.Status != 2 || !strings.Contains(err.Error(), tt.says) || stdout.Len() > 0 {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
			}
			if _, err := os.Stat(path); err == nil {
				t.Errorf("%s: a file was written", tt.name)
			}
			continue
		}
		written := stdout.Bytes()
		if tt.settings.Output == path {
			if written, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
			if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
				t.Errorf("%s: the file has mode %s", tt.name, info.Mode())
			}
		}
		narrow, err := token.Parse(string(written))
		if err != nil {
			t.Fatal(err)
		}
		rights, err := narrow.Rights()
		if err != nil || !strings.HasPrefix(rights.String(), tt.want) {
			t.Errorf("%s: it is %s, %v; want %s", tt.name, rights, err, tt.want)
		}
		if left := time.Until(rights.NotAfter); tt.settings.Lifetime != nil && (left < *tt.settings.Lifetime || left > *tt.settings.Lifetime+token.ClockSlack) {
			t.Errorf("%s: it lasts %s, want %s and some slack", tt.name, left, *tt.settings.Lifetime)
		}
		if said := stderr.String(); !strings.Contains(said, tt.says) || strings.Contains(said, narrow.Reveal()) {
			t.Errorf("%s: the story does not say %q, or has the token in it", tt.name, tt.says)
		}
	}
}

// TestLifetime: a token that lasts longer than the one that it is made of cannot be made, and
// the user learns that.
func TestLifetime(t *testing.T) {
	t.Parallel()
	given := spirotest.New(t, spirotest.Options{}).Token(time.Hour, "shop")
	for lifetime, want := range map[time.Duration]bool{30 * time.Minute: false, 48 * time.Hour: true} {
		w, _, stderr := world(map[string]string{"SPIRO_TOKEN": given})
		if err := w.Token(t.Context(), cli.Settings{Lifetime: &lifetime, Output: "-"}); err != nil {
			t.Error(err)
		}
		if said := stderr.String(); strings.Contains(said, "warning: --lifetime 48h0m0s: the given token has only ") != want {
			t.Errorf("%s: %q", lifetime, said)
		}
	}
}

// TestCheckDeploysNothing: check says nothing about a deployment, and keeps the help and the
// status of what failed.
func TestCheckDeploysNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		status int
		want   string
	}{
		"nobody listens": {nil, 5, "check host and port of the server URL, and that SpiroFS runs in the Salt master"},
		"refused":        {http.NotFound, 3, "there is no SpiroFS at this URL: check its path"},
		"another server": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("Welcome")) }, 5, `"Welcome": check the server URL`},
	} {
		url := "http://127.0.0.1:1/" // nobody listens
		if test.answer != nil {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			url = server.URL
		}
		w, _, _ := world(map[string]string{"SPIRO_TOKEN": "an-opaque-token"})
		err := w.Check(t.Context(), cli.Settings{Servers: []string{url}, Insecure: true})
		var with *cli.Error
		if !errors.As(err, &with) || with.Status != test.status || !strings.HasSuffix(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "check token: ") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

// TestNarrowKeepsToken: a narrower token does not take the place of the one that it is made of.
func TestNarrowKeepsToken(t *testing.T) {
	t.Parallel()
	full := spirotest.New(t, spirotest.Options{}).Token(0)
	path := filepath.Join(t.TempDir(), "token")
	for name, s := range map[string]cli.Settings{
		"of a flag":     {TokenFile: path},
		"of a magefile": {Defaults: cli.Defaults{TokenFile: path}},
		"another name":  {TokenFile: filepath.Dir(path) + "/./token"},
	} {
		if err := os.WriteFile(path, []byte(full), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Projects, s.Output = []string{"shop"}, path
		w, _, _ := world(nil)
		if err := w.Token(t.Context(), s); err == nil || !strings.Contains(err.Error(), "output "+path+": the run reads that file") {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(path); string(got) != full {
			t.Errorf("%s: the token was replaced, %v", name, err)
		}
	}
}

// TestEverythingAtOnce: what the edge finds wrong is told with what the library does.
func TestEverythingAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink("nowhere", filepath.Join(dir, "_salt")); err != nil {
		t.Skip(err)
	}
	w, _, _ := world(map[string]string{"SPIRO_TOKEN": "two words", "SOURCE_DATE_EPOCH": "soon"})
	err := w.Run(t.Context(), cli.Settings{
		Project: "a/b", Deployment: "prod", Dir: dir, Servers: []string{"ftp://x"}, SSLCert: "none.pem", Source: "svn", Reports: []string{"pdf=x"},
	})
	var with *cli.Error
	if !errors.As(err, &with) || with.ExitStatus() != 2 {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{
		"8 problems:", `format "pdf"`, `source "svn"`, `SOURCE_DATE_EPOCH "soon"`, "SPIRO_TOKEN: the token has white space", "none.pem",
		`project name "a/b"`, `ftp:// is not a scheme`, "_salt: symbolic link dangles",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "two words") {
		t.Errorf("the token is shown in\n%v", err)
	}
}

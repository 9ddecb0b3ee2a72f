package leak_test

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// ways are the ways in which a program gets the token.
var ways = []string{"environment", "file", "argument"}

// give gives a job the token, in its environment or its flags.
func give(t *testing.T, flags map[string]string, way, secret string) (env []string) {
	t.Helper()
	switch way {
	case "environment":
		return []string{"SPIRO_TOKEN=" + secret}
	case "file":
		path := filepath.Join(t.TempDir(), "token")
		write(t, path, secret+"\n")
		flags["tokenFile"] = path
	case "argument":
		flags["token"] = secret
	}
	return nil
}

// anyFailure stands for the exit status of a run that may end in several ways: how far it
// gets within a second depends on the machine.
const anyFailure = -1

// ends are the ways in which a run with a server of spirotest can end.
var ends = []struct {
	name   string
	do     string // default: deploy
	token  func(*testing.T, *spirotest.Server) string
	minion spirotest.Minion
	flags  map[string]string // BUNDLE and FULL stand for files
	status int
	says   string
	offers bool // whether the token goes out
}{
	{name: "success", says: "1 minion", offers: true},
	{name: "success, the token as it is", flags: map[string]string{"narrowToken": "false"}, says: "1 minion"},
	{name: "no highstate", flags: map[string]string{"highstate": "false"}, says: "without a highstate", offers: true},
	{name: "dry run", flags: map[string]string{"dryRun": ""}, says: "dry run"},
	{name: "output", flags: map[string]string{"output": "out.tar"}, says: "sha256:"},
	{name: "output to standard output", flags: map[string]string{"output": "-"}, says: "sha256:"},
	{name: "bundle", flags: map[string]string{"bundle": "BUNDLE"}, says: "1 minion", offers: true},
	{name: "another digest", flags: map[string]string{"digest": "sha256:" + strings.Repeat("0", 64)}, status: 2, says: "digest"},
	{name: "minion fails", minion: spirotest.Minion{Result: spirotest.States(spirotest.State{ID: "x", Result: spirotest.Failed})}, status: 1, says: "1 of 1 minion failed", offers: true},
	{name: "minion does not compile", minion: spirotest.Minion{Result: spirotest.NotCompiled("no SLS")}, status: 1, says: "no SLS", offers: true},
	{name: "minion is silent", minion: spirotest.Minion{Silent: true}, status: 6, says: "did not report", offers: true},
	{name: "expired", token: func(_ *testing.T, s *spirotest.Server) string { return s.Token(-time.Hour, "shop") }, status: 2, says: "expired"},
	{name: "for another project", token: func(_ *testing.T, s *spirotest.Server) string { return s.Token(time.Hour, "blog") }, status: 2, says: "not for the project"},
	{name: "not valid yet", token: func(t *testing.T, s *spirotest.Server) string { return notYet(t, s.Token(time.Hour, "shop")) }, status: 2, says: "not valid yet"},
	{name: "of another server", token: func(t *testing.T, _ *spirotest.Server) string { return macaroon(t) }, status: 3, says: "401"},
	{name: "opaque", token: func(*testing.T, *spirotest.Server) string { return opaque() }, status: 3, says: "401"},
	{name: "awkward", token: func(*testing.T, *spirotest.Server) string { return awkward() }, status: 3, says: "401"},
	{name: "white space inside", token: func(*testing.T, *spirotest.Server) string { return opaque() + " " + opaque() }, status: 2, says: "white space"},
	{name: "newline inside", token: func(*testing.T, *spirotest.Server) string { return opaque() + "\n" + opaque() }, status: 2, says: "white space"},
	{name: "unreachable", flags: map[string]string{"server": "CLOSED"}, status: 5},
	{name: "plain HTTP", flags: map[string]string{"insecure": "false"}, status: 2, says: "plain HTTP"},
	{name: "timeout", minion: spirotest.Minion{Delay: time.Hour}, flags: map[string]string{"timeout": "1s"}, status: anyFailure, says: "the time for the whole run is up"},
	{name: "unwritable report", flags: map[string]string{"report": "json=FULL"}, status: 2, says: "report was not written", offers: true},
	{name: "report that cannot be", flags: map[string]string{"report": "pdf=x"}, status: 2, says: "pdf"},
	{name: "report to standard output", flags: map[string]string{"report": "json=-"}, says: "schemaVersion", offers: true},
	{name: "check", do: "check", says: "the token is valid"},
	{name: "check with another's", do: "check", token: func(t *testing.T, _ *spirotest.Server) string { return macaroon(t) }, status: 3, says: "401"},
	{name: "token", do: "token", says: "for shop"},
	{name: "opaque token", do: "token", token: func(*testing.T, *spirotest.Server) string { return opaque() }, status: 2},
	{name: "bundle to a file", do: "bundle", flags: map[string]string{"output": "out.tar"}, says: "sha256:"},
	{name: "diff", do: "diff"},
}

// TestEnds: however a run ends, and however it got the token, it does not show it.
func TestEnds(t *testing.T) {
	t.Parallel()
	for _, f := range fronts {
		for i := range ends {
			for _, way := range ways {
				switch {
				case f.verbose && way != ways[0]:
					continue // mage's own words do not depend on that
				case f.name == "command" && ends[i].do != "", f.name != "command" && way == "argument":
					continue // only mage has a target for this, and no flag for that
				}
				t.Run(strings.Join([]string{f.name, ends[i].name, way}, "/"), func(t *testing.T) {
					t.Parallel()
					testEnd(t, f, i, way)
				})
			}
		}
	}
}

func testEnd(t *testing.T, f front, end int, way string) {
	t.Helper()
	tt := ends[end]
	tt.minion.ID = "web1"
	server := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{tt.minion}})
	secret := server.Token(time.Hour, "shop")
	if tt.token != nil {
		secret = tt.token(t, server)
	}
	secrets := strings.Fields(secret)
	if len(secrets) == 1 {
		secrets = sent(t, secret)
	}
	flags := given(t, tt.do, tt.flags, server.URL())
	positions := []string{"shop", "prod"}
	switch tt.do {
	case "diff":
		positions = []string{tarball(t), tarball(t)}
	case "check", "token", "bundle":
		positions = nil
	}
	env := give(t, flags, way, secret)
	if tt.do == "bundle" || tt.do == "diff" {
		delete(flags, "tokenFile") // they take none
	}
	do := tt.do
	if do == "" {
		do = "deploy"
		if flags["report"] == "" && flags["output"] == "" {
			flags["report"] = strings.Join(reportFlags("."), ",")
		}
	}
	j := f.job(t, do, positions, flags)
	j.env, j.secrets = append(j.env, env...), secrets
	r := j.run(t)
	status := tt.status
	if status == anyFailure && r.status > 0 {
		status = r.status
	}
	r.want(t, status, tt.says, secrets...)
	if tt.offers && !offered(server, secrets[len(secrets)-1]) {
		t.Error("the token did not go out in the form that was looked for")
	}
}

// given returns the flags of an end, with the server, and with files in place of their
// stand-ins.
func given(t *testing.T, do string, flags map[string]string, server string) map[string]string {
	t.Helper()
	all := map[string]string{}
	if do == "" || do == "check" {
		all["server"], all["insecure"] = server, ""
	}
	maps.Copy(all, flags)
	if all["insecure"] == "false" {
		delete(all, "insecure")
	}
	switch {
	case all["bundle"] == "BUNDLE":
		all["bundle"] = tarball(t)
	case all["server"] == "CLOSED":
		all["server"] = closed
	case all["report"] == "json=FULL" && runtime.GOOS != "linux":
		t.Skip("a file that is always full is a matter of Linux")
	case all["report"] == "json=FULL":
		all["report"] = "json=/dev/full"
	}
	return all
}

// offered reports whether a POST with a token has reached the server.
func offered(server *spirotest.Server, token string) bool {
	for _, r := range server.Requests() {
		if r.Method == "POST" && r.Header.Get("Authorization") == "Bearer "+token {
			return true
		}
	}
	return false
}

// closed is a URL on which nothing listens. A port that was free a moment ago may be another
// test's now.
const closed = "http://127.0.0.1:1/"

// tarball makes a bundle.
func tarball(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bundle.tar")
	b, err := bundle.New(t.Context(), bundle.Options{Dir: project(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := b.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	return path
}

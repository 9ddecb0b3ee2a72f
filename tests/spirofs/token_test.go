package spirofs_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// TestTokens: the real server takes and refuses the tokens that it should. The command
// does not send a token that is not for the project (status 2).
func TestTokens(t *testing.T) {
	t.Parallel()
	tokens(t, plain(t))
}

func tokens(t *testing.T, m *salt.Master) {
	t.Helper()
	dir := states(t, "nobody*", "fine: {test.nop: []}\n")
	narrow := func(tok token.Token, caveat map[string]any) token.Token {
		narrowed, err := salt.Narrow(tok, caveat)
		if err != nil {
			t.Fatal(err)
		}
		return narrowed
	}
	genuine := m.RootToken().Reveal()
	signature := len(genuine) - 20 // somewhere in it
	wrong, err := token.Parse(genuine[:signature] + "AAAAAAAA" + genuine[signature+8:])
	if err != nil {
		t.Fatal(err)
	}
	two := m.Token(time.Hour, "tokens", "other")
	short, err := m.RootToken().Narrow(time.Now().Add(10*time.Minute), "tokens")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		token  token.Token
		status int
	}{
		{"root", m.RootToken(), 0},
		{"for two projects", two, 0},
		{"narrowed to the project", narrow(two, map[string]any{"project_allow": []string{"tokens"}}), 0},
		{"root narrowed to the project, for ten minutes", short, 0},
		{"narrowed to another project", narrow(two, map[string]any{"project_allow": []string{"other"}}), 2},
		{"narrowed to the past", narrow(two, map[string]any{"not_after": time.Now().Add(-time.Minute).Unix()}), 3},
		{"denied", narrow(m.RootToken(), map[string]any{"project_deny": []string{"tokens"}}), 2},
		{"for another project", m.Token(time.Hour, "other"), 2},
		{"expired", m.Token(-time.Minute, "tokens"), 3},
		{"of another key", wrong, 3},
	} {
		opts := options(m, "tokens", dir, tt.token)
		opts.NoHighstate = true
		rep, err := spirodeploy.Deploy(t.Context(), opts)
		if rep.ExitStatus != tt.status {
			t.Errorf("token %s: status %d, want %d: %v", tt.name, rep.ExitStatus, tt.status, err)
		}
	}
}

// TestNarrowed: the server refuses a narrowed token for another project, and after its
// time.
func TestNarrowed(t *testing.T) {
	t.Parallel()
	m := plain(t)
	dir := states(t, "nobody*", "fine: {test.nop: []}\n")
	for name, tt := range map[string]struct {
		end      time.Time
		projects []string
		status   int
	}{
		"of another project": {time.Time{}, []string{"other"}, 403},
		"of the past":        {time.Now().Add(-time.Minute), nil, 401},
		"of the project":     {time.Now().Add(time.Hour), []string{"narrowed"}, 0},
	} {
		tok, err := m.RootToken().Narrow(tt.end, tt.projects...)
		if err != nil {
			t.Fatal(err)
		}
		c, err := client.New(options(m, "narrowed", dir, tok).Server)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := c.Upload(t.Context(), client.Deployment{Project: "narrowed", Deployment: "prod", Bundle: rawBundle(make([]byte, 1024))})
		status := 0
		var answer *client.StatusError
		switch {
		case errors.As(err, &answer):
			status = answer.StatusCode
		case err != nil:
			t.Fatal(err)
		default:
			_ = stream.Close()
		}
		if status != tt.status {
			t.Errorf("a token %s: status %d, want %d", name, status, tt.status)
		}
	}
}

// TestForbidden tests what SECURITY.md says about a 403. SpiroFS as published applies
// what it refuses; the hardened one leaves nothing behind.
func TestForbidden(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*salt.Master{"published": unhardened(t), "hardened": plain(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			applied := filepath.Join(m.Root("web1"), "forbidden")
			foreign(t, m, "web1", "forbidden", "{cmd.run: [{name: 'echo done >"+applied+"'}]}")
			if name == "hardened" {
				untouched(t, m, "forbidden")
				return
			}
			for end := time.Now().Add(pace.Hang); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				if _, err := os.Stat(applied); err == nil {
					return
				}
			}
			t.Error("it was not applied: this server is better than the one that SECURITY.md tells of")
		})
	}
}

// foreign sends a bundle with a state for a minion, and a token for another project,
// and checks that the answer is 403.
func foreign(t *testing.T, m *salt.Master, minion, project, state string) {
	t.Helper()
	dir := states(t, minion, "mark: "+state+"\n")
	b, err := bundle.New(t.Context(), bundle.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c, err := client.New(options(m, project, dir, m.Token(time.Hour, "other")).Server)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Upload(t.Context(), client.Deployment{Project: project, Deployment: "prod", Highstate: true, Bundle: b})
	var answer *client.StatusError
	if !errors.As(err, &answer) || answer.StatusCode != 403 || !strings.Contains(err.Error(), "may have been deployed") {
		t.Errorf("%v, want a 403 that may have deployed", err)
	}
}

// untouched checks that a master has nothing of a project, neither a directory nor a
// saltenv. The server does one thing after the other, so it has finished the request.
func untouched(t *testing.T, m *salt.Master, project string) {
	t.Helper()
	if _, err := os.Stat(filepath.Dir(m.DeploymentDir(project, "prod"))); err == nil {
		t.Errorf("the master has a directory of %s", project)
	}
	out, err := m.Runner(t.Context(), "fileserver.envs")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), project+"/") {
		t.Errorf("the master serves %s", out)
	}
}

// TestRefused tests the words of the command about an expired token and a foreign one,
// and the server's answer to a foreign token.
func TestRefused(t *testing.T) {
	t.Parallel()
	m := plain(t)
	dir := states(t, "nobody*", "fine: {test.nop: []}\n")
	foreign := m.Token(time.Hour, "other")
	for _, tt := range []struct {
		token  token.Token
		status int
		says   string
	}{
		{m.Token(-time.Minute, "refused"), 3, "401 Unauthorized"},
		{foreign, 2, "not for the project"},
	} {
		cmd := command(t, m, "refused", "--dir", dir, "--insecure", "--no-highstate", "refused", "prod")
		cmd.Env = append(cmd.Env, "SPIRO_TOKEN="+tt.token.Reveal())
		run(t, cmd).check(t, tt.status, tt.says)
	}
	c, err := client.New(options(m, "refused", dir, foreign).Server)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := c.Upload(t.Context(), client.Deployment{Project: "refused", Deployment: "prod", Bundle: rawBundle(make([]byte, 1024))})
	if err == nil {
		stream.Close()
	}
	var answer *client.StatusError
	if !errors.As(err, &answer) || answer.StatusCode != 403 || report.Classify(err) != report.Refused {
		t.Errorf("error %v, want a 403", err)
	}
}

// rawBundle is a tar that is sent as it is.
type rawBundle []byte

func (b rawBundle) Size() int64                  { return int64(len(b)) }
func (b rawBundle) Open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }

// TestUnpackable: if the server cannot unpack a bundle, that is the server's failure, and
// the earlier deployment stays.
func TestUnpackable(t *testing.T) {
	t.Parallel()
	m := plain(t)
	opts := options(m, "bad", states(t, "nobody*", "fine: {test.nop: []}\n"), m.Token(time.Hour, "bad"))
	opts.NoHighstate = true
	if _, err := spirodeploy.Deploy(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, header := range []*tar.Header{{Name: "x", Typeflag: tar.TypeReg, Mode: 0o644}, {Name: "x/y", Typeflag: tar.TypeReg, Mode: 0o644}} {
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(opts.Server)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := c.Upload(t.Context(), client.Deployment{Project: "bad", Deployment: "prod", Bundle: rawBundle(b.Bytes())})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	rep := report.New(report.Request{Project: "bad", Deployment: "prod"})
	for event, err := range stream.Events() {
		if err != nil {
			t.Fatal(err)
		}
		rep.Targets[0].Add(event)
	}
	rep.Targets[0].Finish(nil)
	rep.Finish()
	if rep.ExitStatus != 4 {
		t.Errorf("status %d, want 4: %v", rep.ExitStatus, rep.Err())
	}
	if _, err := os.Stat(filepath.Join(m.DeploymentDir("bad", "prod"), "app.sls")); err != nil {
		t.Errorf("the deployment before is gone: %v", err)
	}
}

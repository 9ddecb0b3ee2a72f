package spirofs_test

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// TestHardened tests what spirofs-compat hardens, as SECURITY.md says.
func TestHardened(t *testing.T) {
	t.Parallel()
	hardened(t, plain(t), "web1")
}

// hardened is TestHardened for a master and one of its minions.
func hardened(t *testing.T, m *salt.Master, minion string) {
	t.Helper()
	t.Run("a 403 leaves nothing", func(t *testing.T) {
		t.Parallel()
		foreign(t, m, minion, "foreign", "{test.nop: []}")
		untouched(t, m, "foreign")
	})
	t.Run("bundles that leave", func(t *testing.T) {
		t.Parallel()
		outside := filepath.Join(m.Temp(), "outside")
		for name, header := range map[string]*tar.Header{
			"up":       {Name: "../../outside", Typeflag: tar.TypeReg},
			"absolute": {Name: outside, Typeflag: tar.TypeReg},
			"link":     {Name: "secret", Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow"},
			"device":   {Name: "null", Typeflag: tar.TypeChar},
		} {
			_, err := post(t, m, "leaves", "prod", header)
			refused(t, name, err, "not safe to unpack")
		}
		untouched(t, m, "leaves")
		if _, err := os.Stat(outside); err == nil {
			t.Error("a bundle has written outside")
		}
	})
	t.Run("names that leave", func(t *testing.T) {
		t.Parallel()
		for _, name := range [][2]string{{"..", "prod"}, {"names/x", "prod"}, {"names", ".."}, {"names", "../prod"}} {
			_, err := post(t, m, name[0], name[1], &tar.Header{Name: "f", Typeflag: tar.TypeReg})
			refused(t, strings.Join(name[:], " "), err, "not possible")
		}
		untouched(t, m, "names")
	})
	t.Run("a saltenv that leaves", func(t *testing.T) {
		t.Parallel()
		if readsKey(t, m, minion) {
			t.Error("a minion has read the key of the tokens")
		}
	})
	t.Run("what does not unpack", func(t *testing.T) {
		t.Parallel()
		stream, err := post(t, m, "unpack", "prod", &tar.Header{Name: "x", Typeflag: tar.TypeReg}, &tar.Header{Name: "x/y", Typeflag: tar.TypeReg})
		if !strings.Contains(stream, "event: exception") {
			t.Errorf("%q, %v, want an exception", stream, err)
		}
		untouched(t, m, "unpack")
	})
	t.Run("two at once", func(t *testing.T) {
		t.Parallel()
		var wg sync.WaitGroup
		waited := make([]bool, 2)
		for i, id := range []string{"one", "other"} {
			dir := states(t, minion, id+": {cmd.run: [{name: 'sleep 3; echo "+id+"'}]}\n")
			wg.Go(func() {
				opts := options(m, "twice", dir, m.Token(time.Hour, "twice"))
				opts.Watch = func(u report.Update) {
					waited[i] = waited[i] || u.Kind == report.Happened && u.Event.Name == "deploy-wait"
				}
				rep, err := spirodeploy.Deploy(t.Context(), opts)
				if err != nil {
					t.Errorf("%s: %v", id, err)
					return
				}
				minions := rep.Targets[0].Minions
				if len(minions) != 1 || len(minions[0].States) != 1 || minions[0].States[0].ID != id {
					t.Errorf("%s: the states are %+v", id, minions)
				}
			})
		}
		wg.Wait()
		if waited[0] == waited[1] {
			t.Errorf("which were told that they wait: %v", waited)
		}
	})
}

// TestPublishedServesKey tests what SECURITY.md says about saltenvs that minions make up.
func TestPublishedServesKey(t *testing.T) {
	t.Parallel()
	if !readsKey(t, unhardened(t), "db1") {
		t.Error("a minion cannot read the key of the tokens: this server is better than the one that SECURITY.md tells of")
	}
}

// readsKey reports whether a minion can read the key of the tokens as a file: it is
// below pki_dir, which here is beside cachedir.
func readsKey(t *testing.T, m *salt.Master, minion string) bool {
	t.Helper()
	out, err := m.Call(t.Context(), minion, "cp.get_file_str", "salt://spiro_auth/macaroon-key", "saltenv=../../pki")
	if err != nil {
		t.Log(err) // the minion says that it gets no file
	}
	return strings.Contains(string(out), m.Key())
}

// TestTokenNotLogged: requests that fail leave no token in the master's log.
func TestTokenNotLogged(t *testing.T) {
	t.Parallel()
	m := plain(t)
	tok := m.Token(time.Hour, "logged")
	c, err := client.New(options(m, "logged", t.TempDir(), tok).Server)
	if err != nil {
		t.Fatal(err)
	}
	// Two bundles that are not a tar, and a name that makes SpiroFS raise an exception.
	for _, deployment := range []string{"prod", strings.Repeat("n", 300)} {
		stream, err := c.Upload(t.Context(), client.Deployment{Project: "logged", Deployment: deployment, Bundle: rawBundle("no tar at all")})
		if err == nil {
			_ = stream.Close()
		}
	}
	log, err := os.ReadFile(m.Log())
	if err != nil || len(log) == 0 {
		t.Fatalf("%d bytes of log, %v", len(log), err)
	}
	if secret := tok.Reveal(); bytes.Contains(log, []byte(secret[len(secret)-30:])) {
		t.Error("the log has the token")
	}
}

// missing freezes a minion of a master, and deploys to it and to another one. The server
// must name the one that does not answer.
func missing(t *testing.T, m *salt.Master, here, gone string) {
	t.Helper()
	if err := m.Freeze(gone); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Thaw(gone); err != nil {
			t.Error(err)
		}
	}()
	var start string
	opts := options(m, "missing", states(t, "*", "fine: {test.nop: []}\n"), m.Token(time.Hour, "missing"))
	opts.Watch = func(u report.Update) {
		if u.Kind == report.Happened && u.Event.Name == client.HighstateStart {
			start = u.Event.Data
		}
	}
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if !strings.Contains(start, `"missing": ["`+gone+`"]`) {
		t.Errorf("the server says %s; %v", start, err)
	}
	minions := rep.Targets[0].Minions
	if i := slices.IndexFunc(minions, func(m *report.Minion) bool { return m.ID == here }); i < 0 || minions[i].Status != highstate.Succeeded {
		t.Errorf("the minion that is there: %+v, %v", minions, err)
	}
	if all := strings.Join(rep.Targets[0].Warnings, "\n"); rep.Verdict != report.Success || !strings.Contains(all, "1 minion that did not answer the server: "+gone) {
		t.Errorf("for a glob: %s, warnings %q", rep.Verdict, all)
	}
	// A minion that is named by its id must be there.
	dir := states(t, here, "fine: {test.nop: []}\n")
	write(t, filepath.Join(dir, "_salt", "spirotop.sls"), "prod: {"+here+": [app], "+gone+": [app]}\n")
	rep, err = spirodeploy.Deploy(t.Context(), options(m, "missing", dir, m.Token(time.Hour, "missing")))
	if missed := rep.Targets[0].Missed(); rep.Verdict != report.MinionFailed || len(missed) != 1 || missed[0].ID != gone ||
		!strings.Contains(strings.Join(missed[0].Messages, ""), "did not answer when the server asked") {
		t.Errorf("by its id: %s, %v, not reached are %+v", rep.Verdict, err, missed)
	}
}

func closed(t *testing.T, m *salt.Master) {
	t.Helper()
	if t.Failed() {
		t.Log(m.Logs())
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// post sends a bundle of empty entries as no client of this project would. The error
// has what the server says if there is no stream.
func post(t *testing.T, m *salt.Master, project, deployment string, headers ...*tar.Header) (string, error) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, header := range headers {
		header.Mode = 0o644
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), pace.Hang)
	defer cancel()
	stream, err := m.Post(ctx, salt.Form{Project: project, Deployment: deployment, Bundle: b.Bytes()})
	return string(stream), err
}

// refused checks that a post ended with a 400 and a reason.
func refused(t *testing.T, what string, err error, why string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "400 Bad Request") || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: %v, want a 400 that says %q", what, err, why)
	}
}

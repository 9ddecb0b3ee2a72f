package spirofs_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
	"github.com/spirostack/spirodeploy/tests/program"
)

// options returns the library's options for a deployment prod.
func options(m *salt.Master, project, dir string, tok token.Token) spirodeploy.Options {
	return spirodeploy.Options{
		Project: project, Deployment: "prod", Bundle: bundle.Options{Dir: dir},
		Server: client.Options{Server: m.URL, Token: tok, Insecure: m.Certificate == nil, Certificate: m.Certificate},
	}
}

// TestRedeploy: a redeployment is applied even if its files have the same sizes and times
// as before.
func TestRedeploy(t *testing.T) {
	t.Parallel()
	m := plain(t)
	dir := states(t, "db1", "{{ grains['root'] }}/again:\n  file.managed:\n    - source: salt://again\n")
	for _, text := range []string{"one", "two"} {
		write(t, filepath.Join(dir, "_salt", "again"), text)
		rep, err := spirodeploy.Deploy(t.Context(), options(m, "again", dir, m.Token(time.Hour, "again")))
		if err != nil {
			t.Fatal(err)
		}
		minions := rep.Targets[0].Minions
		if len(minions) != 1 || minions[0].ID != "db1" || minions[0].Counts.Changed != 1 || len(minions[0].JID) != 20 {
			t.Errorf("minions %+v", minions)
		}
		if got := content(t, filepath.Join(m.Root("db1"), "again")); got != text {
			t.Errorf("the minion has %q, want %q", got, text)
		}
	}
}

// TestMage deploys with the mage target, and a token that the server issued.
func TestMage(t *testing.T) {
	t.Parallel()
	m := plain(t)
	out, err := m.Runner(t.Context(), "spiro.issue_token", "projects=mage", "lifespan=600")
	if err != nil {
		t.Fatal(err)
	}
	var issued string
	if err := json.Unmarshal(out, &issued); err != nil {
		t.Fatal(err)
	}
	dir := states(t, "db1", "{{ grains['root'] }}/by-mage:\n  file.managed:\n    - contents: hello\n")
	cmd := exec.CommandContext(t.Context(), "go", "tool", "mage", "-d", filepath.Join("internal", "dev", "targets"), "spiro:deploy", "mage", "prod", "-dir="+dir, "-insecure")
	cmd.Dir = program.Root
	cmd.Env = append(os.Environ(), "SPIRO_URL="+m.URL, "SPIRO_TOKEN="+issued)
	run(t, cmd).check(t, 0, "Success: mage/prod deployed: 1 minion, 1 state")
	if got := content(t, filepath.Join(m.Root("db1"), "by-mage")); got != "hello\n" {
		t.Errorf("the minion has %q", got)
	}
}

// TestFailures: the command says why minions fail, and ends with status 1.
func TestFailures(t *testing.T) {
	t.Parallel()
	failures(t, plain(t), "web1")
}

// failures is TestFailures for a master and one of its minions.
func failures(t *testing.T, m *salt.Master, minion string) {
	t.Helper()
	for name, tt := range map[string]struct {
		sls, status string
		says        []string
	}{
		"broken": {"fine: {test.nop: []}\nbroken: {cmd.run: [{name: 'echo oops >&2; exit 3'}]}\n", "failed",
			[]string{"ID: broken", "oops", "Failed:    1", "FAILURE: broken/prod: 1 of 1 minion"}},
		"norender": {"{{ undefined_thing.foo }}\n", "not-compiled",
			[]string{"Rendering SLS 'norender/prod:app' failed", "FAILURE: norender/prod: 1 of 1 minion"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := states(t, minion, tt.sls)
			file := filepath.Join(t.TempDir(), "report.json")
			run(t, command(t, m, name, "--dir", dir, "--insecure", "--report", "json="+file, name, "prod")).check(t, 1, tt.says...)
			var rep report.Report
			if err := json.Unmarshal([]byte(content(t, file)), &rep); err != nil {
				t.Fatal(err)
			}
			if ms := rep.Targets[0].Minions; len(ms) != 1 || string(ms[0].Status) != tt.status {
				t.Errorf("minions %+v, want one that is %s", ms, tt.status)
			}
		})
	}
}

// TestNobody: a deployment concerns no minion, or starts no highstate.
func TestNobody(t *testing.T) {
	t.Parallel()
	m := plain(t)
	dir := states(t, "nobody*", "fine: {test.nop: []}\n")
	args := []string{"--dir", dir, "--insecure", "nobody", "prod"}
	run(t, command(t, m, "nobody", args...)).check(t, 1, "no minion is concerned")
	run(t, command(t, m, "nobody", append(args, "--missing-minions", "warn")...)).check(t, 0, "no minion is concerned")
	run(t, command(t, m, "nobody", append(args, "--require-minions")...)).check(t, 1, "no minion is concerned")
	run(t, command(t, m, "nobody", append(args, "--no-highstate")...)).check(t, 0, "Success: nobody/prod deployed")
}

// TestInterrupted: an interrupted client ends with 130, the highstate goes on, and the
// client's words on how to look it up are right.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	m := plain(t)
	dir := states(t, "web1", "slow: {cmd.run: [{name: 'sleep 20; echo done >{{ grains['root'] }}/slow'}]}\n")
	cmd := command(t, m, "slow", "--dir", dir, "--insecure", "slow", "prod")
	heard := &signaller{cmd: cmd, at: "Highstating"}
	var stdout strings.Builder
	cmd.Stderr, cmd.Stdout = heard, &stdout
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 130 {
		t.Fatalf("%v, want status 130\n%s", err, heard.text.String())
	}
	if !strings.Contains(stdout.String(), "the deployment may be going on; 1 of 1 minion did not report (web1); on the master, salt-run jobs.active shows") {
		t.Errorf("it says\n%s", stdout.String())
	}
	jid := active(t, m, "slow/prod")
	path := filepath.Join(m.Root("web1"), "slow")
	for end := time.Now().Add(pace.Hang); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			break
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal("the highstate has not gone on")
	}
	for end := time.Now().Add(pace.Hang); time.Now().Before(end); {
		out, err := m.Runner(t.Context(), "jobs.lookup_jid", jid)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(out), "cmd_|-slow_|-") {
			return
		}
	}
	t.Errorf("jobs.lookup_jid %s does not show what the minion did", jid)
}

// active returns the id of the highstate of a saltenv, as soon as jobs.active shows it:
// the minion may be busy with highstates of other tests.
func active(t *testing.T, m *salt.Master, saltenv string) string {
	t.Helper()
	for end := time.Now().Add(pace.Hang); ; {
		out, err := m.Runner(t.Context(), "jobs.active")
		if err != nil {
			t.Fatal(err)
		}
		var jobs map[string]json.RawMessage
		if err := json.Unmarshal(out, &jobs); err != nil {
			t.Fatal(err)
		}
		for jid, job := range jobs {
			if strings.Contains(string(job), `"state.highstate"`) && strings.Contains(string(job), `"`+saltenv+`"`) {
				return jid
			}
		}
		if time.Now().After(end) {
			t.Fatalf("jobs.active shows no highstate of %s: %s", saltenv, out)
		}
	}
}

// TestWrongScheme: plain HTTP to a port with TLS, and TLS to one with plain HTTP.
func TestWrongScheme(t *testing.T) {
	t.Parallel()
	w := shared(t)
	dir := states(t, "nobody*", "fine: {test.nop: []}\n")
	args := []string{"--dir", dir, "--insecure", "--connect-timeout", pace.Soon().String(), "scheme", "prod"}
	cmd := command(t, w.plain, "scheme", args...)
	cmd.Env = append(cmd.Env, "SPIRO_URL="+strings.Replace(w.plain.URL, "http:", "https:", 1))
	run(t, cmd).check(t, 5, "use http:// in the server URL and --insecure if it is meant to speak plain HTTP; nothing was deployed")
	cmd = command(t, w.secure, "scheme", args...)
	cmd.Env = append(cmd.Env, "SPIRO_URL="+strings.Replace(w.secure.URL, "https:", "http:", 1))
	run(t, cmd).check(t, 5, "use https:// in the server URL if the server speaks TLS on this port; nothing was deployed")
}

// TestTooLarge: the command explains why a server on plain HTTP refuses a large bundle.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	m := plain(t)
	dir := states(t, "nobody*", "fine: {test.nop: []}\n")
	large := filepath.Join(dir, "_salt", "large")
	write(t, large, "")
	if err := os.Truncate(large, 100<<20); err != nil {
		t.Fatal(err)
	}
	// The Tornado of Salt 3005 and 3006 cuts the connection; that of 3007 and 3008 answers.
	run(t, command(t, m, "large", "--dir", dir, "--insecure", "large", "prod")).check(t, 3,
		"warning: over plain HTTP, SpiroFS takes no more than 100.0 MiB", "400 Bad Request", "nothing was deployed")
	if _, err := os.Stat(m.DeploymentDir("large", "prod")); err == nil {
		t.Error("it was deployed")
	}
}

// signaller interrupts a command when that prints certain words.
type signaller struct {
	cmd  *exec.Cmd
	at   string
	done bool
	text strings.Builder
}

func (s *signaller) Write(p []byte) (int, error) {
	s.text.Write(p)
	if !s.done && strings.Contains(s.text.String(), s.at) {
		s.done = true
		if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// TestTLS: the command trusts the certificate that a flag names, and no other. Then a
// minion stops in the middle of its highstate, and once before it. That holds up
// everything else on the master, so this test has a master of its own.
func TestTLS(t *testing.T) {
	t.Parallel()
	m := shared(t).secure
	dir := states(t, "safe*", "slow: {cmd.run: [{name: 'sleep 2'}]}\n")
	file := filepath.Join(t.TempDir(), "salt.pem")
	write(t, file, string(m.Certificate))
	run(t, command(t, m, "safe", "--dir", dir, "safe", "prod")).check(t, 5, "--ssl-cert")
	run(t, command(t, m, "safe", "--dir", dir, "--ssl-cert", file, "safe", "prod")).
		check(t, 0, "Success: safe/prod deployed: 2 minions, 2 states")

	opts := options(m, "safe", dir, m.Token(time.Hour, "safe"))
	opts.Watch = func(u report.Update) {
		if u.Kind == report.Happened && u.Event.Name == client.HighstateStart {
			if err := m.Freeze("safe2"); err != nil {
				t.Error(err)
			}
		}
	}
	rep, err := spirodeploy.Deploy(t.Context(), opts)
	if err == nil || rep.ExitStatus != 1 {
		t.Fatalf("with a frozen minion: %v, status %d, want 1", err, rep.ExitStatus)
	}
	for _, minion := range rep.Targets[0].Minions {
		want := map[string]highstate.Status{"safe1": highstate.Succeeded, "safe2": highstate.NoAnswer}[minion.ID]
		if minion.Status != want {
			t.Errorf("%s is %s, want %s", minion.ID, minion.Status, want)
		}
	}
	if err := m.Thaw("safe2"); err != nil {
		t.Fatal(err)
	}
	missing(t, m, "safe1", "safe2")
}

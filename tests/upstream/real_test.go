package upstream_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
)

// TestHardened: the first-party client and ours work with a real server that
// spirofs-compat has hardened: with the key "missing" of highstate-start, and with the
// event deploy-wait.
func TestHardened(t *testing.T) {
	t.Parallel()
	theirs, ours := clients(t)
	env, err := salt.Prepare(t.Context(), func(line string) { t.Log(line) })
	must(t, err)
	m, err := env.Start(t.Context(), salt.Options{Minions: []salt.Minion{{ID: "web1"}, {ID: "web2"}}, Freezes: true})
	must(t, err)
	defer func() {
		if t.Failed() {
			t.Log(m.Logs())
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	token := m.Token(time.Hour, "shop").Reveal()
	dir := tree{"_salt/spirotop.sls": "prod: {'web*': [app]}\n", "_salt/app.sls": "slow: {cmd.run: [{name: sleep 3}]}\n"}.make(t)

	status, out := theirs.run(t, dir, m.URL, token, "--no-highstate")
	if status != 0 || !strings.Contains(out, "Deploying bundle") {
		t.Errorf("without a highstate: exit status %d\n%s", status, out)
	}

	// Both at once: one of them waits.
	var wg sync.WaitGroup
	outs := make([]string, 2)
	for i, c := range []client{theirs, ours} {
		wg.Go(func() {
			var status int
			if status, outs[i] = c.run(t, dir, m.URL, token); status != 0 {
				t.Errorf("%s: exit status %d\n%s", c.name, status, outs[i])
			}
		})
	}
	wg.Wait()
	if !strings.Contains(outs[0], "2 minions reported of 2") || !strings.Contains(outs[1], "2 minions, 2 states") {
		t.Errorf("not all minions have reported: %q", outs)
	}
	if !strings.Contains(strings.Join(outs, ""), "Waiting for the deployment of shop/prod before this one") {
		t.Errorf("nobody has waited: %q", outs)
	}

	must(t, m.Freeze("web2"))
	defer func() { must(t, m.Thaw("web2")) }()
	for _, c := range []client{theirs, ours} {
		status, out := c.run(t, dir, m.URL, token)
		if status != 0 || !strings.Contains(out, "Highstating 1 minions: web1") && !strings.Contains(out, "1 minion, 1 state") {
			t.Errorf("%s, with a minion that is missing: exit status %d\n%s", c.name, status, out)
		}
	}
	status, out = theirs.run(t, dir, m.URL, m.Token(time.Hour, "other").Reveal())
	if status == 0 || !strings.Contains(out, "403") {
		t.Errorf("with a token for another project: exit status %d\n%s", status, out)
	}
}

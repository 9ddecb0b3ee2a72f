package examples_test

import (
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/tests/program"
)

// TestProgram deploys to two servers that take the same token.
func TestProgram(t *testing.T) {
	t.Parallel()
	path := program.Build(t, root, "./examples/program")
	for _, tt := range []struct {
		name   string
		second any // what the minion of the second server returns
		silent bool
		stream string // the second server's whole answer, in place of a highstate
		status int
		says   string
	}{
		{name: "well", status: 0, says: "Success: 2 targets\n"},
		{name: "failed", second: fails, status: 1, says: `us: minion "us1\x1b[2J": failed, 1 of 1 states failed` + "\n"},
		{name: "unreported", silent: true, status: 6, says: `us: minion "us1\x1b[2J": unreported, 0 of 0 states failed` + "\n"},
		{
			name: "exception", stream: "event: exception\ndata: {\"msg\": \"\\u001b[2J no space\"}\n\n", status: 4,
			says: "FAILURE: 1 of 2 targets failed: us\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := []byte("of both")
			eu := spirotest.New(t, spirotest.Options{TLS: true, Key: key, Minions: []spirotest.Minion{{ID: "eu1", Targets: []string{"web*"}}}})
			us := spirotest.New(t, spirotest.Options{TLS: true, Key: key, Minions: []spirotest.Minion{
				{ID: "us1\x1b[2J", Targets: []string{"web*"}, Result: tt.second, Silent: tt.silent},
			}})
			if tt.stream != "" {
				us.Replay([]byte(tt.stream))
			}
			dir := example(t, "shop")
			r := run(t, dir, []string{"SPIRO_TOKEN=" + eu.Token(time.Hour, "shop"), trust(t, eu, us)}, path, eu.URL(), us.URL())
			if r.status != tt.status || !strings.Contains(r.stdout, tt.says) {
				t.Errorf("status %d, want %d; it prints %q, want %q", r.status, tt.status, r.stdout, tt.says)
			}
			if strings.Contains(r.stdout+r.stderr, "\x1b") {
				t.Errorf("a minion's id reaches the terminal: %q", r.stdout+r.stderr)
			}
			if strings.Contains(r.stdout, `"eu1"`) {
				t.Errorf("a minion that succeeded is among those that failed: %q", r.stdout)
			}
			for _, srv := range []*spirotest.Server{eu, us} {
				deployed(t, srv, "build/shop")
			}
			written(t, dir, "report.html", "127.0.0.1")
		})
	}
	for _, args := range [][]string{nil, {"https://127.0.0.1:1/", "https://127.0.0.1:1/"}} {
		if r := run(t, t.TempDir(), nil, path, args...); r.status != 2 {
			t.Errorf("%v without a token: status %d", args, r.status)
		}
	}
}

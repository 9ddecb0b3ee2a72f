package terminal_test

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// minions returns minions that take so long.
func minions(delay time.Duration, ids ...string) []spirotest.Minion {
	var all []spirotest.Minion
	for _, id := range ids {
		all = append(all, spirotest.Minion{ID: id, Delay: delay})
	}
	return all
}

func env(s *spirotest.Server, url string) []string {
	return []string{"SPIRO_URL=" + url, "SPIRO_TOKEN=" + s.Token(time.Hour, "shop")}
}

// has returns a condition: each pattern matches a line, in that order.
func has(patterns ...string) func([]string) bool {
	return func(lines []string) bool {
		for _, p := range patterns {
			at := slices.IndexFunc(lines, regexp.MustCompile(p).MatchString)
			if at < 0 {
				return false
			}
			lines = lines[at+1:]
		}
		return true
	}
}

// TestWaiting: the screen shows each minion that has not reported, and for how long. A
// minion that reports gets a line above. At the end nothing of that is left.
func TestWaiting(t *testing.T) {
	t.Parallel()
	server := spirotest.New(t, spirotest.Options{Minions: append(minions(pace.Soon(), "web1"), minions(3*pace.Soon(), "web2", "db1")...)})
	s := start(t, 100, 50, project(t, 0), env(server, server.URL()), "--insecure", "shop", "prod")
	s.see(t, "all minions", has(`^highstate waiting for 3 of 3 minions  \d+ s$`, `^ {10}web1  \d+ s$`, `^ {10}web2  \d+ s$`, `^ {10}db1  \d+ s$`))
	lines := s.see(t, "two minions", has(`^highstate web1 succeeded`, `^highstate waiting for 2 of 3 minions  [1-9]\d* s$`, `^ {10}web2`, `^ {10}db1`))
	if has(`^ {10}web1`)(lines) {
		t.Errorf("web1 is still waited for:\n%s", strings.Join(lines, "\n"))
	}
	if status := s.end(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	lines = s.see(t, "the result", has(`^highstate Highstate complete`, `^web1:`, `^Success: shop/prod deployed`))
	if strings.Contains(strings.Join(lines, "\n"), "waiting") {
		t.Errorf("something is left of the waiting:\n%s", strings.Join(lines, "\n"))
	}
	if !strings.Contains(s.all(), "\x1b[32m") {
		t.Error("no colours on a terminal")
	}
}

// TestManyMinions: the screen counts the minions for which it has no room.
func TestManyMinions(t *testing.T) {
	t.Parallel()
	var ids []string
	for i := range 200 {
		ids = append(ids, fmt.Sprintf("web%03d", i))
	}
	server := spirotest.New(t, spirotest.Options{Minions: minions(time.Hour, ids...)})
	s := start(t, 80, 16, project(t, 0), env(server, server.URL()), "--insecure", "shop", "prod")
	s.see(t, "some of the minions", has(`^highstate waiting for 200 of 200 minions`, `^ {10}web000`, `^ {10}web006`, `^ {10}… and 193 more$`))
	// Fewer lines, and fewer columns, without anything left of what was there.
	s.resize(t, 30, 10)
	s.see(t, "fewer of them", has(`^highstate waiting for 200 of ?…$`, `^ {10}web003  \d+ s$`, `^ {10}… and 196 more$`))
	if _, err := s.pty.WriteString("\x03"); err != nil { // Ctrl-C
		t.Fatal(err)
	}
	if status := s.end(t); status != 130 {
		t.Errorf("exit status %d", status)
	}
	if !strings.Contains(s.all(), "FAILURE: shop/prod: interrupted") {
		t.Errorf("it does not say what became of the run:\n%s", s.all())
	}
}

// TestWide: names of wide characters are cut at the end of the line, not later.
func TestWide(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("漢字", 30)
	server := spirotest.New(t, spirotest.Options{Minions: minions(pace.Soon(), name)})
	s := start(t, 60, 20, project(t, 0), env(server, server.URL()), "--insecure", "--quiet=false", "shop", "prod")
	if status := s.end(t); status != 0 {
		t.Errorf("exit status %d:\n%s", status, s.all())
	}
	row := regexp.MustCompile(`(?m)^ {10}(漢字)+.*$`).FindString(strings.ReplaceAll(s.all(), "\r", ""))
	if width := runewidth.StringWidth(row); width != 59 && width != 58 || !strings.HasSuffix(row, "…") {
		t.Errorf("a row of %d columns: %s", width, row)
	}
}

// TestTargets: each of several targets has a row.
func TestTargets(t *testing.T) {
	t.Parallel()
	near := spirotest.New(t, spirotest.Options{Minions: minions(pace.Soon(), "web1")})
	far := spirotest.New(t, spirotest.Options{Minions: minions(3*pace.Soon(), "web1", "web2")})
	dir := project(t, 0)
	list := fmt.Sprintf("- {name: near, server: %q, token-variable: NEAR}\n- {name: far, server: %q, token-variable: FAR}\n", near.URL(), far.URL())
	if err := os.WriteFile(filepath.Join(dir, "targets.yaml"), []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens := []string{"NEAR=" + near.Token(time.Hour, "shop"), "FAR=" + far.Token(time.Hour, "shop")}
	s := start(t, 100, 50, dir, tokens, "--insecure", "--targets", "targets.yaml", "shop", "prod")
	s.see(t, "both", has(`^waiting for 2 of 2 targets  \d+ s$`, `^ {10}far  highstate waiting for 2 of 2 minions  \d+ s$`, `^ {10}near  highstate waiting for 1 of 1 minion  \d+ s$`))
	s.see(t, "the one that is left", has(`^\[near\] highstate web1 succeeded`, `^waiting for 1 of 2 targets  \d+ s$`, `^ {10}far`))
	if status := s.end(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	lines := s.see(t, "the result", has(`^\[near\] Success`, `^\[far\] Success`, `^Success: 2 targets$`))
	if strings.Contains(strings.Join(lines, "\n"), "waiting") {
		t.Errorf("something is left of the waiting:\n%s", strings.Join(lines, "\n"))
	}
}

// TestUpload: a bar with rate and time left is shown while the bundle is sent. If it has
// no room, at least the numbers are shown.
func TestUpload(t *testing.T) {
	t.Parallel()
	const size = 24 << 20
	for _, tt := range []struct {
		cols int
		want string
	}{
		{120, `^upload    \[=+>-+\] \d\d?\.\d MiB of 24\.0 MiB \(\d+ %\), \d+\.\d [KM]iB/s, \d+ s left$`},
		{72, `^upload    \d\d?\.\d MiB of 24\.0 MiB \(\d+ %\), \d+\.\d [KM]iB/s, \d+ s left$`},
		{40, `^upload    \d\d?\.\d MiB of 24\.0 MiB.*…$`},
	} {
		t.Run(fmt.Sprint(tt.cols), func(t *testing.T) {
			t.Parallel()
			server := spirotest.New(t, spirotest.Options{Minions: minions(0, "web1")})
			seen := make(chan struct{})
			s := start(t, tt.cols, 30, project(t, size), env(server, slow(t, server.URL(), size/50, seen)), "--insecure", "shop", "prod")
			s.see(t, "the bar", has(tt.want))
			close(seen)
			if status := s.end(t); status != 0 {
				t.Errorf("exit status %d", status)
			}
			if left := strings.Join(s.lines(), "\n"); strings.Contains(left, " left") {
				t.Errorf("something is left of the bar:\n%s", left)
			}
		})
	}
}

// slow passes connections on to a server, at so many bytes a second until a channel
// is closed.
func slow(t *testing.T, server string, rate int, until <-chan struct{}) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	to := u.Host
	u.Host = listener.Addr().String()
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			go relay(in, to, rate, until)
		}
	}()
	return u.String()
}

func relay(in net.Conn, to string, rate int, until <-chan struct{}) {
	defer in.Close()
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer out.Close()
	go func() {
		_, _ = io.Copy(in, out)
		_ = in.Close()
	}()
	const ticks = 50 // a second
	for {
		if _, err := io.CopyN(out, in, int64(rate/ticks)); err != nil {
			return
		}
		select {
		case <-until:
		case <-time.After(time.Second / ticks):
		}
	}
}

// TestPlain: a user who asks for no colours gets none, and a terminal that cannot move
// its cursor gets lines.
func TestPlain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env  []string
		args []string
		live bool
	}{
		"NO_COLOR":      {[]string{"NO_COLOR=1"}, nil, true},
		"--color never": {nil, []string{"--color", "never"}, true},
		"dumb":          {[]string{"TERM=dumb"}, nil, false},
		"--quiet":       {[]string{"NO_COLOR=1"}, []string{"--quiet"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := spirotest.New(t, spirotest.Options{Minions: minions(pace.Soon(), "web1")})
			args := append([]string{"--insecure", "shop", "prod"}, tt.args...)
			s := start(t, 80, 24, project(t, 0), append(env(server, server.URL()), tt.env...), args...)
			if status := s.end(t); status != 0 {
				t.Errorf("exit status %d", status)
			}
			all := s.all()
			if strings.Contains(all, "\x1b[3") || strings.Contains(all, "\x1b[0m") || strings.Contains(all, "\x1b[1m") {
				t.Errorf("colours:\n%q", all)
			}
			if live := strings.Contains(all, "waiting for 1 of 1 minion"); live != tt.live {
				t.Errorf("live: %v, want %v\n%q", live, tt.live, all)
			}
			if tt.args != nil && tt.args[0] == "--quiet" && strings.TrimSpace(all) != "Success: shop/prod deployed: 1 minion, 1 state, 0 changed" {
				t.Errorf("quiet is %q", all)
			}
		})
	}
}

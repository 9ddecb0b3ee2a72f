package spirofs_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/tests/program"
)

// ctx ends when all tests have.
var ctx, cancel = context.WithCancel(context.Background())

// parallel is how many tests run at once: they wait more than they work.
const parallel = "8"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	status := m.Run()
	if used {
		world := start()
		masters := []*salt.Master{world.plain, world.secure}
		if usedPublished {
			master, _ := published() // a test has reported the error
			masters = append(masters, master)
		}
		for _, master := range masters {
			if master == nil {
				continue
			}
			if err := master.Close(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				status = 1
			}
		}
	}
	program.Remove()
	cancel()
	os.Exit(status)
}

// world has what all tests share, on the newest Salt.
type world struct {
	env    *salt.Env
	plain  *salt.Master // plain HTTP, minions web1 and db1
	secure *salt.Master // TLS, minions safe1 and safe2
	err    error
}

var (
	used  bool
	start = sync.OnceValue(func() (w world) {
		used = true
		say := func(line string) { fmt.Fprintln(os.Stderr, time.Now().Format(time.TimeOnly), line) }
		env, err := salt.Prepare(ctx, say)
		if err != nil {
			return world{err: err}
		}
		w.env = env
		// Each start mostly waits for one process, so both run at once.
		errs := make([]error, 2)
		var wg sync.WaitGroup
		wg.Go(func() {
			w.plain, errs[0] = env.Start(ctx, salt.Options{Minions: []salt.Minion{{ID: "web1"}, {ID: "db1"}}, Progress: say})
		})
		wg.Go(func() {
			w.secure, errs[1] = env.Start(ctx, salt.Options{Minions: []salt.Minion{{ID: "safe1"}, {ID: "safe2"}}, TLS: true, Freezes: true, Progress: say})
		})
		wg.Wait()
		if w.err = errors.Join(errs...); w.err != nil {
			return w
		}
		// The files of tests go with the master, even if the tests are killed.
		w.err = os.Setenv("TMPDIR", w.plain.Temp())
		return w
	})
)

// published starts a master with SpiroFS as it was published, and the minions web1 and
// db1.
var (
	usedPublished bool
	published     = sync.OnceValues(func() (*salt.Master, error) {
		usedPublished = true
		return start().env.Start(ctx, salt.Options{
			Minions: []salt.Minion{{ID: "web1"}, {ID: "db1"}}, Published: true,
			Progress: func(line string) { fmt.Fprintln(os.Stderr, time.Now().Format(time.TimeOnly), line) },
		})
	})
)

// shared returns what all tests share, or skips the test.
func shared(t *testing.T) world {
	t.Helper()
	if testing.Short() {
		t.Skip("a real Salt master takes its time")
	}
	w := start()
	switch {
	case errors.Is(w.err, salt.ErrNoPython) && os.Getenv("CI") != "true":
		t.Skip(w.err)
	case w.err != nil:
		t.Fatal(w.err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		for name, m := range map[string]*salt.Master{"plain HTTP": w.plain, "TLS": w.secure} {
			t.Logf("logs of the master with %s:\n%s", name, m.Logs())
		}
	})
	return w
}

// plain returns the master that speaks plain HTTP.
func plain(t *testing.T) *salt.Master {
	t.Helper()
	return shared(t).plain
}

// unhardened returns the master with SpiroFS as it was published.
func unhardened(t *testing.T) *salt.Master {
	t.Helper()
	shared(t)
	m, err := published()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs of the master with SpiroFS as published:\n%s", m.Logs())
		}
	})
	return m
}

// command returns the command, set up for a master and a project's token.
func command(t *testing.T, m *salt.Master, project string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program.Command(t), args...)
	cmd.Env = append(os.Environ(), "SPIRO_URL="+m.URL, "SPIRO_TOKEN="+m.Token(time.Hour, project).Reveal())
	return cmd
}

// result is the result of a command.
type result struct {
	status         int
	stdout, stderr string
}

// run runs a command to its end.
func run(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// check fails the test unless a command ended with a status and said these words.
func (r result) check(t *testing.T, status int, says ...string) {
	t.Helper()
	ok := r.status == status
	for _, text := range says {
		ok = ok && strings.Contains(r.stdout+r.stderr, text)
	}
	if !ok {
		t.Errorf("status %d, want %d and %q\nstdout:\n%s\nstderr:\n%s", r.status, status, says, r.stdout, r.stderr)
	}
}

// project makes a directory with files: name → content.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), content)
	}
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// states makes a project whose deployment prod gives a minion one SLS.
func states(t *testing.T, minion, sls string) string {
	t.Helper()
	return project(t, map[string]string{"_salt/spirotop.sls": "prod:\n  '" + minion + "': [app]\n", "_salt/app.sls": sls})
}

// content returns what is in a file.
func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

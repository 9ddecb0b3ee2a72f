package terminal_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/tests/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// terminal is a terminal on which the command runs.
type terminal struct {
	vt10x.Terminal
	pty  *os.File
	cmd  *exec.Cmd
	over chan error // gets the command's error, when all of its output is there

	mu  sync.Mutex
	raw strings.Builder
}

// start runs the command in a project directory, on a terminal of that size.
func start(t *testing.T, cols, rows int, dir string, env []string, args ...string) *terminal {
	t.Helper()
	s := &terminal{Terminal: vt10x.New(vt10x.WithSize(cols, rows)), over: make(chan error, 1)}
	s.cmd = exec.CommandContext(t.Context(), program.Command(t), args...)
	s.cmd.Dir = dir
	s.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TERM=xterm-256color", "LANG=C.UTF-8"}, env...)
	var err error
	s.pty, err = pty.StartWithSize(s.cmd, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.pty.Close() })
	go func() {
		_, err := io.Copy(s, s.pty)
		if err != nil && !errors.Is(err, syscall.EIO) { // Linux says so that the other end is closed
			t.Error(err)
		}
		s.over <- s.cmd.Wait()
	}()
	return s
}

// Write takes what the command writes.
func (s *terminal) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.raw.Write(p)
	s.mu.Unlock()
	return s.Terminal.Write(p)
}

// all returns everything that was written so far.
func (s *terminal) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}

// lines returns the lines of the screen that are not empty.
func (s *terminal) lines() []string {
	var lines []string
	for line := range strings.Lines(s.String()) {
		if line = strings.TrimRight(line, " \n\x00"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// see waits until the screen is as it should be, and returns its lines.
func (s *terminal) see(t *testing.T, what string, right func(lines []string) bool) []string {
	t.Helper()
	for end := time.Now().Add(pace.Hang); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		ended := len(s.over) > 0
		if lines := s.lines(); right(lines) {
			return lines
		}
		if ended {
			break
		}
	}
	t.Fatalf("never on the screen: %s. On it is\n%s", what, s.String())
	return nil
}

// resize changes the size of the terminal while the command runs.
func (s *terminal) resize(t *testing.T, cols, rows int) {
	t.Helper()
	s.Resize(cols, rows)
	if err := pty.Setsize(s.pty, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)}); err != nil {
		t.Fatal(err)
	}
}

// end waits until the command has ended, and returns its exit status.
func (s *terminal) end(t *testing.T) int {
	t.Helper()
	select {
	case err := <-s.over:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(pace.Hang):
		t.Fatalf("it does not end; on the screen is\n%s", s.String())
		return 0
	}
}

// project makes a project directory whose bundle has about size bytes.
func project(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"spirotop.sls": []byte("prod:\n  '*': [web]\n"), "web.sls": []byte("hello:\n  test.nop: []\n"), "app.sls": []byte("hello:\n  test.nop: []\n"), "large": make([]byte, size),
	} {
		path := filepath.Join(dir, "_salt", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

package faults_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/tests/program"
)

// shell runs the command through a shell script, in which "$@" is the command and its
// arguments. It returns the last words of the command.
func shell(script string, args ...string) func(*scene) outcome {
	return func(s *scene) outcome {
		s.t.Helper()
		all := append([]string{"-c", script, "sh", program.Command(s.t), "--dir", s.dir}, args...)
		cmd := exec.CommandContext(s.ctx, "sh", all...)
		cmd.Dir = s.t.TempDir()
		cmd.Env = append(os.Environ(), "TMPDIR="+cmd.Dir, "SPIRO_URL="+s.server.URL(), "SPIRO_TOKEN="+s.opts.Server.Token.Reveal())
		return s.execute(cmd)
	}
}

// execute runs a command and returns its last words.
func (s *scene) execute(cmd *exec.Cmd) outcome {
	s.t.Helper()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	entries, _ := os.ReadDir(cmd.Dir)
	for _, e := range entries {
		s.t.Errorf("the file %s is left", e.Name())
	}
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	last := strings.TrimPrefix(lines[len(lines)-1], "spiro-deploy: ")
	return outcome{cmd.ProcessState.ExitCode(), s.plain(last)}
}

// files are the faults of files on this machine.
var files = []fault{
	{name: "half a bundle (`--bundle`)", over: "http", breaks: func(s *scene) {
		whole := filepath.Join(s.t.TempDir(), "bundle.tar")
		build := exec.CommandContext(s.ctx, program.Command(s.t), "--dir", s.dir, "--output", whole)
		if out, err := build.CombinedOutput(); err != nil {
			s.t.Fatalf("%v\n%s", err, out)
		}
		if err := os.Truncate(whole, 1024); err != nil {
			s.t.Fatal(err)
		}
		s.opts.File = whole
		s.dir = filepath.Dir(whole)
	}},
	{name: "a bundle that two readers could take differently (`--bundle`)", over: "http", breaks: func(s *scene) {
		s.opts.File = filepath.Join(s.t.TempDir(), "bundle.tar")
		s.dir = filepath.Dir(s.opts.File)
		var tars bytes.Buffer
		w := tar.NewWriter(&tars)
		// GNU tar puts access times where Python's tarfile looks for a prefix.
		h := &tar.Header{Name: "web.sls", Mode: 0o644, AccessTime: time.Unix(1, 0), Format: tar.FormatGNU}
		if err := errors.Join(w.WriteHeader(h), w.Close(), os.WriteFile(s.opts.File, tars.Bytes(), 0o600)); err != nil {
			s.t.Fatal(err)
		}
	}},
	{name: "standard output is closed (`--output -`)", over: "http", breaks: func(s *scene) {
		s.local, s.command = true, shell(`exec "$@" >&-`, "--output", "-")
	}},
	{name: "the disk is full while a bundle is written (`--output`)", over: "http", breaks: func(s *scene) {
		s.large("_salt/large", 1<<20)
		s.local, s.command = true, shell(limited, "--output", "bundle.tar")
	}},
	{name: "a full device as `--output`", over: "http", breaks: func(s *scene) {
		s.large("_salt/large", 1<<20)
		s.local, s.command = true, shell(`exec "$@"`, "--output", "/dev/full")
	}},
	{name: "the disk is full while `git archive` is kept (`--include-source git`)", over: "http", breaks: func(s *scene) {
		s.file("source.bin", strings.Repeat("x", 1<<20))
		s.git("init", "--quiet")
		s.git("add", "source.bin")
		s.git("-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "--quiet", "--message=one")
		s.command = shell(limited, "--insecure", "--include-source", "git", "shop", "prod")
	}},
	{name: "the disk is full while the report is written", over: "http", breaks: func(s *scene) {
		s.command = shell(`exec "$@"`, "--insecure", "--report", "json=/dev/full", "shop", "prod")
	}},
}

// limited lets no file grow beyond 64 KiB; POSIX counts in blocks of 512 bytes.
const limited = `ulimit -f 128; exec "$@"`

func (s *scene) git(args ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.ctx, "git", args...)
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("git: %v\n%s", err, out)
	}
}

// unreadable makes a file unreadable while the files before it are sent. Another user
// than root runs the command.
func unreadable(s *scene) {
	s.large("_salt/large", some)
	s.file("_salt/other", "content")
	file := filepath.Join(s.dir, "_salt", "other")
	s.answer(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.CopyN(io.Discard, r.Body, some/4)
		if err := os.Chmod(file, 0); err != nil {
			s.t.Error(err)
		}
		_, _ = io.Copy(io.Discard, r.Body)
	})
	s.command = func(s *scene) outcome {
		dir := s.t.TempDir()
		letIn(s.t, s.dir, dir)
		cmd := exec.CommandContext(s.ctx, program.Command(s.t), "--dir", s.dir, "--insecure", "shop", "prod")
		cmd.Dir = dir
		asNobody(s.t, cmd)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "SPIRO_TOKEN=" + s.opts.Server.Token.Reveal(), "SPIRO_URL=" + "http://" + s.opts.Server.Address}
		return s.execute(cmd)
	}
}

// letIn lets everybody pass through directories, and through their parents if those
// belong to us.
func letIn(t *testing.T, dirs ...string) {
	t.Helper()
	stop := filepath.Clean(os.TempDir())
	for _, dir := range dirs {
		for d := dir; d != stop && d != filepath.Dir(d); d = filepath.Dir(d) {
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

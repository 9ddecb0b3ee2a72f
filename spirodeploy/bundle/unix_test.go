//go:build unix

package bundle_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

const nobody = 65534

// child runs one of the children and returns what it prints. As root it is
// another user's process, so that permissions hold.
func child(t *testing.T, name string, env ...string) (output string) {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	dir, err := os.MkdirTemp("", "") //nolint:usetesting // t.TempDir would be out of that user's reach
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	program := filepath.Join(dir, "child")
	// Were this process to write it, others that it starts meanwhile could
	// keep it open, and what is open for writing cannot be run.
	run(t, dir, "cp", self, program)
	check(t, errors.Join(os.Chmod(dir, 0o755), os.Chmod(program, 0o755)))
	tmp := filepath.Join(dir, "tmp")
	check(t, os.Mkdir(tmp, 0o755))

	cmd := exec.Command(program)
	cmd.Dir = tmp
	cmd.Env = append(os.Environ(), childVar+"="+name, "TMPDIR="+tmp, "HOME="+tmp, "GIT_CEILING_DIRECTORIES="+tmp)
	cmd.Env = append(cmd.Env, env...)
	if os.Geteuid() == 0 {
		check(t, os.Chown(tmp, nobody, nobody))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	var words strings.Builder // where a test binary also complains about coverage
	cmd.Stderr = &words
	out, err := cmd.Output()
	switch {
	case errors.Is(err, syscall.EPERM), errors.Is(err, fs.ErrPermission):
		lack(t, "this root may not be another user, or that user not reach "+dir)
	case err != nil:
		t.Fatalf("%v\n%s%s", err, out, &words)
	}
	left, err := os.ReadDir(tmp)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return string(out)
}

func init() {
	digestOfEverything := children["digest"]
	children["digest under umask 077"] = func() error {
		syscall.Umask(0o077)
		return digestOfEverything()
	}
	children["unreadable"] = func() error {
		dir, err := os.MkdirTemp("", "")
		if err != nil {
			return err
		}
		file, folder := filepath.Join(dir, "_salt/a/secret.key"), filepath.Join(dir, "_salt/locked")
		err = errors.Join(
			plantAs(dir, false, node{'f', "_salt/a/secret.key", "x"}, node{'f', "_salt/locked/inside", "x"}, node{'f', "_salt/ok", "x"}),
			os.Chmod(file, 0), os.Chmod(folder, 0))
		if err != nil {
			return err
		}
		for _, exclude := range [][]string{nil, {"locked"}, {"a/secret.key", "locked/"}} {
			b, err := bundle.New(context.Background(), bundle.Options{Dir: dir, Exclude: exclude})
			if err == nil {
				for it := range b.Items() {
					fmt.Println(it.Name)
				}
				_ = b.Close()
				continue
			}
			if !errors.Is(err, fs.ErrPermission) {
				return err
			}
			fmt.Println(err.Error())
		}
		return errors.Join(os.Chmod(folder, 0o755), os.RemoveAll(dir))
	}
}

// TestReproducibleElsewhere bundles in processes of another user, umask and
// time zone.
func TestReproducibleElsewhere(t *testing.T) {
	t.Parallel()
	for zone, name := range map[string]string{"Pacific/Kiritimati": "digest", "America/Lima": "digest under umask 077"} {
		equal(t, name+" with TZ="+zone, child(t, name, "TZ="+zone), everythingDigest.String()+"\n")
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	equal(t, "what an unreadable file and directory give", child(t, "unreadable"), `2 problems:
  - _salt/a/secret.key: permission denied (to leave it out: bundle.Options.Exclude a/secret.key)
  - _salt/locked: permission denied (to leave it out: bundle.Options.Exclude /locked)
_salt/a/secret.key: permission denied (to leave it out: bundle.Options.Exclude a/secret.key)
a/
ok
`)
}

// special makes what no bundle can hold: a named pipe, a socket and, as root,
// a device.
func special(t *testing.T, dir string) (want string) {
	t.Helper()
	check(t, syscall.Mkfifo(filepath.Join(dir, "_salt/pipe"), 0o644))
	t.Chdir(filepath.Join(dir, "_salt")) // the path of a socket is short
	l, err := net.Listen("unix", "socket")
	check(t, err)
	t.Cleanup(func() { _ = l.Close() })
	want = `
  - _salt/pipe: is a named pipe: neither file, directory nor symbolic link (to leave it out: bundle.Options.Exclude /pipe)
  - _salt/socket: is a socket: neither file, directory nor symbolic link (to leave it out: bundle.Options.Exclude /socket)`
	if syscall.Mknod(filepath.Join(dir, "_salt/device"), syscall.S_IFCHR|0o644, 1<<8|3) == nil {
		want = `
  - _salt/device: is a device: neither file, directory nor symbolic link (to leave it out: bundle.Options.Exclude /device)` + want
	}
	return want
}

func TestSpecialFiles(t *testing.T) {
	dir := project(t, node{'f', "_salt/ok", ""})
	want := special(t, dir)
	ps := problems(t, bundle.Options{Dir: dir})
	if _, list, _ := strings.Cut(ps.Error(), "problems:"); list != want {
		t.Errorf("problems:%s\nwant:%s", list, want)
	}
	if !errors.Is(ps, bundle.ErrKind) {
		t.Error("it is not ErrKind")
	}
	ps = problems(t, bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{{Path: "_salt/pipe"}}, Exclude: []string{"/pipe", "socket", "device"}})
	equal(t, "artifact", ps.Error(), "_salt/pipe: is a named pipe: neither file, directory nor symbolic link (to leave it out: bundle.Options.Exclude _artifacts/_salt/pipe)")
	build(t, bundle.Options{Dir: dir, Exclude: []string{"pipe", "s?cket", "{device,x}"}})
}

// TestReplacedBySpecial must neither hang nor take what is not the file.
func TestReplacedBySpecial(t *testing.T) {
	for _, replace := range map[string]func(file string) error{
		"pipe": func(file string) error { return syscall.Mkfifo(file, 0o644) },
		"socket": func(file string) error {
			t.Chdir(filepath.Dir(file))
			l, err := net.Listen("unix", filepath.Base(file))
			if err == nil {
				t.Cleanup(func() { _ = l.Close() })
			}
			return err
		},
	} {
		for _, content := range []string{"", "content"} {
			dir := project(t, node{'f', "_salt/top.sls", content})
			b, err := bundle.New(t.Context(), bundle.Options{Dir: dir})
			check(t, err)
			file := filepath.Join(dir, "_salt/top.sls")
			check(t, os.Remove(file))
			check(t, replace(file))
			ends(t, func() {
				stops(t, b, bundle.ErrChanged, "read _salt/top.sls: changed since the tree was walked: it is no regular file any more")
			})
			check(t, b.Close())
		}
	}
}

// TestOpenFilePipe reads a bundle from a named pipe, as many times as asked.
func TestOpenFilePipe(t *testing.T) {
	t.Parallel()
	data, _ := build(t, bundle.Options{Dir: project(t, everything...)})
	pipe := filepath.Join(t.TempDir(), "pipe")
	check(t, syscall.Mkfifo(pipe, 0o600))
	go func() {
		if w, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
			_, _ = w.Write(data)
			_ = w.Close()
		}
	}()
	ends(t, func() {
		f, err := bundle.OpenFile(t.Context(), pipe)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		for range 2 {
			if string(readAll(t, f)) != string(data) {
				t.Error("other bytes than went through the pipe")
			}
		}
	})
}

// TestGitRefuses is a repository of somebody else, as in a container.
func TestGitRefuses(t *testing.T) {
	need(t, "git")
	if os.Geteuid() != 0 {
		t.Skip("only root can make a repository of another user")
	}
	dir := repository(t, node{'f', "_salt/top.sls", "x"})
	check(t, filepath.WalkDir(dir, func(file string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(file, nobody, nobody))
	}))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("LANG", "de_DE.UTF-8")
	data, b := build(t, bundle.Options{Dir: dir})
	equal(t, "listing", listing(t, data), "644 top.sls = \"x\"\n")
	warnings := b.Warnings()
	if len(warnings) != 1 || !strings.HasPrefix(warnings[0].String(), ".gitcommit: left out, since git failed: fatal: detected dubious ownership in repository") {
		t.Errorf("warnings: %v", warnings)
	}
	// Git's advice is a part of the line, to copy.
	if text := warnings[0].String(); strings.Contains(text, `\n`) || !strings.Contains(text, "call: git config --global --add safe.directory /") {
		t.Errorf("warning: %s", text)
	}
	ps := problems(t, bundle.Options{Dir: dir, Source: bundle.Git})
	if len(ps) != 1 || !strings.HasPrefix(ps.Error(), "git archive HEAD: fatal: detected dubious ownership") {
		t.Errorf("problems: %v", ps)
	}
}

// TestOpenFiles: too small a limit of open files is no reason to leave a part of a tree out.
func TestOpenFiles(t *testing.T) {
	t.Parallel()
	scanner := func(context.Context, string, func(string) bool) iter.Seq2[bundle.Entry, error] {
		return func(yield func(bundle.Entry, error) bool) {
			yield(bundle.Entry{Name: "deep/d"}, &fs.PathError{Op: "openat", Path: "d", Err: syscall.EMFILE})
		}
	}
	ps := problems(t, bundle.Options{Dir: project(t, node{'f', "_salt/a", ""}), Scanners: []bundle.Scanner{scanner}})
	if len(ps) != 1 || !strings.HasSuffix(ps.Error(), "too many open files (allow this process more open files (ulimit -n): a walk needs some for each level of directories)") {
		t.Error(ps)
	}
}

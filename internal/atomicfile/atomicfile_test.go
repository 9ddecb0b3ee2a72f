package atomicfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// files returns the names in a directory.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	var stdout bytes.Buffer
	if err := atomicfile.Write(t.Context(), "-", &stdout, text("result")); err != nil || stdout.String() != "result" {
		t.Errorf("standard output got %q, %v", &stdout, err)
	}
	if err := atomicfile.Write(t.Context(), path, nil, text("one")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("out", link); err != nil {
		t.Skip(err)
	}
	if err := atomicfile.Write(t.Context(), link, nil, text("two")); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	info, statErr := os.Lstat(path)
	if err != nil || statErr != nil || string(content) != "two" || info.Mode().Perm() != 0o640 {
		t.Errorf("through a link: %q, %v", content, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no link any more: %v", err)
	}
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("there are %q", got)
	}
}

// TestFailure: what was there stays, and nothing else is left.
func TestFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	reason := errors.New("no more")
	fail := func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return reason
	}
	if err := atomicfile.Write(t.Context(), path, nil, fail); !errors.Is(err, reason) {
		t.Errorf("error %v", err)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("there are %q", got)
	}
	if err := atomicfile.Write(t.Context(), path, nil, text("whole")); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(t.Context(), path, nil, fail); !errors.Is(err, reason) {
		t.Errorf("error %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "whole" {
		t.Errorf("%q, %v", content, err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Skip(err)
	}
	for _, bad := range []string{dir, filepath.Join(dir, "no", "such"), filepath.Join(dir, "dangling")} {
		if err := atomicfile.Write(t.Context(), bad, nil, text("x")); err == nil {
			t.Errorf("%s was written", bad)
		}
	}
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("there are %q", got)
	}
}

// TestDevice writes to what must never be replaced.
// TestCheck: what Write would refuse is known before, and nothing is left of asking.
func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("old"), []byte("old"), 0o444); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"to-old": "old", "dangling": "none"} {
		if err := os.Symlink(target, at(link)); err != nil {
			t.Skip(err)
		}
	}
	closed := t.TempDir()
	if err := os.WriteFile(filepath.Join(closed, "old"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(closed, 0o755) }) // else it cannot be removed
	tests := map[string]string{
		at("new"): "", at("old"): "", at("to-old"): "", atomicfile.Stdout: "", os.DevNull: "",
		dir: "it is a directory", at("dangling"): "it is a symbolic link to nothing", at("none/x"): "no such file", at("old/x"): "not a directory",
		at(strings.Repeat("x", 250)): "too long", // for the file beside it
	}
	if os.Geteuid() > 0 {
		tests[filepath.Join(closed, "old")], tests[filepath.Join(closed, "new")] = "permission denied", "permission denied"
	}
	for path, want := range tests {
		err := atomicfile.Check(path)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if path == atomicfile.Stdout {
			continue
		}
		if wrote := atomicfile.Write(t.Context(), path, nil, func(io.Writer) error { return nil }); (wrote == nil) != (err == nil) {
			t.Errorf("%s: Check says %v, and Write %v", path, err, wrote)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 4 { // old, new and the links
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestDevice(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full and /dev/null")
	}
	if err := atomicfile.Write(t.Context(), "/dev/null", nil, text("x")); err != nil {
		t.Error(err)
	}
	if err := atomicfile.Write(t.Context(), "/dev/full", nil, text("x")); err == nil {
		t.Error("a full device took it")
	}
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		t.Errorf("/dev/null is %v, %v", info, err)
	}
}

// TestNobodyReads: a pipe without a reader holds up nobody who has been told to end.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	defer r.Close()
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	began := func(w io.Writer) error {
		cancel(reason)
		return text("never read")(w)
	}
	if err := atomicfile.Write(ctx, atomicfile.Stdout, w, began); !errors.Is(err, reason) {
		t.Errorf("error %v", err)
	}
	path := filepath.Join(t.TempDir(), "out")
	if err := atomicfile.Write(ctx, path, nil, text("too late")); !errors.Is(err, reason) {
		t.Errorf("error %v", err)
	}
	if got := files(t, filepath.Dir(path)); len(got) != 0 {
		t.Errorf("there are %q", got)
	}
}

func TestWriteSecret(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "token")
	for _, before := range []os.FileMode{0, 0o666, 0o640} {
		if before != 0 {
			if err := os.Chmod(path, before); err != nil {
				t.Fatal(err)
			}
		}
		if err := atomicfile.WriteSecret(t.Context(), path, nil, text("secret")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("where there was one of mode %s: %v, %v", before, info.Mode(), err)
		}
	}
}

// TestLeftOvers: what a killed run has left is removed by the next one that writes
// the same file; other files, and what another run is about to write, are not.
func TestLeftOvers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out.tar")
	others := []string{".other.tar.ABCDEFGH.tmp", ".out.tar.ABCDEFG.tmp", ".out.tar.abcdefgh.tmp", ".out.tar.ABCDEFGH.tmp.bak", "out.tar.ABCDEFGH.tmp", ".out.tar.x.ABCDEFGH.tmp"}
	for _, name := range append([]string{".out.tar.ABCDEFGH.tmp", ".out.tar.22222222.tmp"}, others...) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	within := func(outer io.Writer) error {
		if _, err := io.WriteString(outer, "first, "); err != nil {
			return err
		}
		// A second run, from beginning to end, while the first one writes.
		if err := atomicfile.Write(t.Context(), path, nil, text("second")); err != nil {
			return err
		}
		if content, err := os.ReadFile(path); err != nil || string(content) != "second" {
			t.Errorf("after the second run: %q, %v", content, err)
		}
		return text("to its end")(outer)
	}
	if err := atomicfile.Write(t.Context(), path, nil, within); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "first, to its end" {
		t.Errorf("after both: %q, %v", content, err)
	}
	want := append(slices.Clone(others), "out.tar")
	slices.Sort(want)
	if got := files(t, dir); !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
}

// TestManyAtOnce: many that write one file at once all succeed, and one of them has
// written what is there.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	long := strings.Repeat("x", 1<<16)
	var running sync.WaitGroup
	for i := range 20 {
		running.Go(func() {
			for range 20 {
				if err := atomicfile.Write(t.Context(), path, nil, text(fmt.Sprint(i)+long+fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	content, err := os.ReadFile(path)
	before, after, ok := strings.Cut(string(content), long)
	if err != nil || !ok || before == "" || before != after {
		t.Errorf("%d bytes, %q and %q, %v", len(content), before, after, err)
	}
	if got := files(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("there are %q", got)
	}
}

// TestOpenTwice: of two that write one file bit by bit, the second is told so.
func TestOpenTwice(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no such locks")
	}
	path := filepath.Join(t.TempDir(), "out")
	first, err := atomicfile.Open(t.Context(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := text("one")(first); err != nil {
		t.Fatal(err)
	}
	if _, err := atomicfile.Open(t.Context(), path, nil, 0); err == nil || err.Error() != "write "+path+": another run writes to it" {
		t.Errorf("error %v", err)
	}
	if err := errors.Join(text(" two")(first), first.Close()); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "one two" {
		t.Errorf("%q, %v", content, err)
	}
	again, err := atomicfile.Open(t.Context(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || len(content) > 0 {
		t.Errorf("%q, %v", content, err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestClosedStdout: what is written to a standard output that is closed is an
// error. This test runs itself so.
func TestClosedStdout(t *testing.T) {
	const variable = "SPIRODEPLOY_TEST_CLOSED"
	if os.Getenv(variable) != "" {
		fmt.Fprintln(os.Stderr, atomicfile.CheckStdout(os.Stdout))
		return
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	const told = "write to standard output: standard output is closed"
	for redirect, want := range map[string]string{">&-": told + "\n", ">/dev/null": "<nil>\n"} {
		cmd := exec.Command(sh, "-c", `exec "$0" -test.run=^TestClosedStdout$ `+redirect, os.Args[0])
		cmd.Env = append(os.Environ(), variable+"=1")
		var words strings.Builder // coverage may be talked about too
		cmd.Stderr = &words
		_ = cmd.Run() // its own standard output is closed
		if !strings.HasPrefix(words.String(), want) {
			t.Errorf("%s: %q, want %q", redirect, &words, want)
		}
	}
}

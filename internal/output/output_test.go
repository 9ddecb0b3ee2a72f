package output_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/spirostack/spirodeploy/internal/output"
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
	if err := output.Write(t.Context(), "-", &stdout, text("result")); err != nil || stdout.String() != "result" {
		t.Errorf("standard output got %q, %v", &stdout, err)
	}
	if err := output.Write(t.Context(), path, nil, text("one")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("out", link); err != nil {
		t.Skip(err)
	}
	if err := output.Write(t.Context(), link, nil, text("two")); err != nil {
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
	if err := output.Write(t.Context(), path, nil, fail); !errors.Is(err, reason) {
		t.Errorf("error %v", err)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("there are %q", got)
	}
	if err := output.Write(t.Context(), path, nil, text("whole")); err != nil {
		t.Fatal(err)
	}
	if err := output.Write(t.Context(), path, nil, fail); !errors.Is(err, reason) {
		t.Errorf("error %v", err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != "whole" {
		t.Errorf("%q, %v", content, err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Skip(err)
	}
	for _, bad := range []string{dir, filepath.Join(dir, "no", "such"), filepath.Join(dir, "dangling")} {
		if err := output.Write(t.Context(), bad, nil, text("x")); err == nil {
			t.Errorf("%s was written", bad)
		}
	}
	if got := files(t, dir); len(got) != 2 {
		t.Errorf("there are %q", got)
	}
}

// TestDevice writes to what must never be replaced.
func TestDevice(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("needs /dev/full and /dev/null")
	}
	if err := output.Write(t.Context(), "/dev/null", nil, text("x")); err != nil {
		t.Error(err)
	}
	if err := output.Write(t.Context(), "/dev/full", nil, text("x")); err == nil {
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
	if err := output.Write(ctx, output.Stdout, w, began); !errors.Is(err, reason) {
		t.Errorf("error %v", err)
	}
	path := filepath.Join(t.TempDir(), "out")
	if err := output.Write(ctx, path, nil, text("too late")); !errors.Is(err, reason) {
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
		if err := output.WriteSecret(t.Context(), path, nil, text("secret")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
			t.Errorf("where there was one of mode %s: %v, %v", before, info.Mode(), err)
		}
	}
}

//go:build unix

package salt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestNoPython: the error says what is missing, and what to do. (The test sets PATH, so
// it does not run beside others.)
func TestNoPython(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for _, tt := range []struct{ script, says string }{
		{"", "(there is none)"},
		{"#!/bin/sh\necho 3.12\n", "(python3 is 3.12)"},
		{"#!/bin/sh\nexit 1\n", "(python3 does not run or has no venv)"},
	} {
		if tt.script != "" {
			if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(tt.script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		cache := t.TempDir()
		_, err := prepareIn(t.Context(), cache, Newest, func(string) {})
		if !errors.Is(err, ErrNoPython) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "install one") {
			t.Errorf("error %v, want ErrNoPython with %q", err, tt.says)
		}
		if left, _ := os.ReadDir(cache); len(left) > 0 {
			t.Errorf("the cache has %v", left)
		}
	}
}

// TestFailedInstall: an installation that fails leaves nothing, and removes what an
// interrupted one left.
func TestFailedInstall(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\ncase $1 in -c) echo 3.11;; *) echo no room >&2; exit 3;; esac\n"
	if err := os.WriteFile(filepath.Join(dir, "python3.11"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	interrupted := filepath.Join(cache, "salt-"+Newest+"-"+digest(pinned(Newest))+".new")
	if err := os.MkdirAll(filepath.Join(interrupted, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := prepareIn(t.Context(), cache, Newest, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "making a virtual environment: exit status 3\nno room") {
		t.Errorf("error %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(cache, "salt-*")); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

// TestPinned: every package has one version, and each version of Salt is pinned.
func TestPinned(t *testing.T) {
	t.Parallel()
	for _, version := range Versions {
		names := map[string]bool{}
		for _, pin := range pinned(version) {
			name, exact, ok := strings.Cut(pin, "==")
			if !ok || name == "" || exact == "" || strings.ContainsAny(exact, "*;, ") || names[name] {
				t.Errorf("Salt %s: %q pins nothing, or something twice", version, pin)
			}
			names[name] = true
			if name == "salt" && exact != version {
				t.Errorf("Salt %s: the pin is %s", version, pin)
			}
		}
		if !names["salt"] {
			t.Errorf("Salt %s is not pinned", version)
		}
	}
}

// TestUnknownVersion: the error says which versions there are.
func TestUnknownVersion(t *testing.T) {
	t.Parallel()
	_, err := prepareIn(t.Context(), t.TempDir(), "2019.2", func(string) {})
	if err == nil || !strings.Contains(err.Error(), Newest) {
		t.Errorf("error %v, want one that names %s", err, Newest)
	}
}

// TestLock: the second waits until the first is done, or its context is. It tells that
// it waits, and nothing if the lock is free.
func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	synctest.Test(t, func(t *testing.T) {
		var told []string
		tell := func(line string) { told = append(told, line) }
		unlock, err := lock(t.Context(), path, tell)
		if err != nil || len(told) > 0 {
			t.Fatalf("the lock is free: %v, %q", err, told)
		}
		ctx, cancel := context.WithTimeout(t.Context(), tellEvery-pollEvery)
		defer cancel()
		if _, err := lock(ctx, path, tell); !errors.Is(err, context.DeadlineExceeded) || len(told) > 0 {
			t.Errorf("two hold the lock: %v, %q", err, told)
		}
		time.AfterFunc(tellEvery+time.Second, unlock)
		second, err := lock(t.Context(), path, tell)
		if err != nil {
			t.Fatal(err)
		}
		second()
		if want := []string{"Salt: waiting for another process that installs, 5s since the start"}; !slices.Equal(told, want) {
			t.Errorf("it tells %q, want %q", told, want)
		}
	})
}

// TestUnlock: an unlocked file is free although a second descriptor of it is open, as a
// child has one until it runs its program.
func TestUnlock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	try := func() (*os.File, bool) {
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		locked, err := tryLock(file)
		if err != nil {
			t.Fatal(err)
		}
		return file, locked
	}
	file, locked := try()
	child, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	if _, twice := try(); !locked || twice {
		t.Fatalf("locked: %v, twice: %v", locked, twice)
	}
	if err := errors.Join(unlock(file), file.Close()); err != nil {
		t.Fatal(err)
	}
	if _, free := try(); !free {
		t.Error("the file is still locked")
	}
}

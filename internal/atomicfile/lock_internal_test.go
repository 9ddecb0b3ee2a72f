//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestCloseUnlocks: a closed file is free although a second descriptor is open, as a child
// has one until it runs its program.
func TestCloseUnlocks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	first, err := Open(t.Context(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	child, err := duplicate(first.file)
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := Open(t.Context(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCloseKeepsLock: while a write that outlived its time goes on, the file stays locked.
func TestCloseKeepsLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	ctx, cancel := context.WithCancel(t.Context())
	first, err := Open(ctx, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	writing, err := duplicate(first.file) // as the write has it
	if err != nil {
		t.Fatal(err)
	}
	defer writing.Close()
	reader, slow := io.Pipe()
	defer reader.Close()
	first.out = slow
	cancel()
	if _, err := first.Write([]byte("x")); err == nil {
		t.Error("the write did not end with its time")
	}
	_ = first.Close()
	if second, err := Open(t.Context(), path, nil, 0); err == nil {
		_ = second.Close()
		t.Error("two runs write to the file")
	}
}

// TestFreeUnlocks is [TestCloseUnlocks] for a file that is made beside its place.
func TestFreeUnlocks(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	free, ok := hold(f)
	if !ok {
		t.Fatal("the file is gone")
	}
	child, err := duplicate(f)
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	again, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if lock(again) {
		t.Error("the file is not locked")
	}
	free()
	if !lock(again) {
		t.Error("the file is still locked")
	}
}

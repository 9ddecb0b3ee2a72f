//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package atomicfile

import (
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

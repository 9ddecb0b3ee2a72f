package bundle_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// TestNearby: who is in the wrong directory is told the right one.
func TestNearby(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, dir := range []string{"shop/_salt", "shop/web/src", "blog/_salt", "alone/a/b/c/d/e"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "shop", "web", "program"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for dir, near := range map[string]string{
		"shop/web": "shop", "shop/web/src": "shop", ".": "blog", "alone/a/b/c/d/e": "",
	} {
		dir = filepath.Join(root, dir)
		_, err := bundle.New(t.Context(), bundle.Options{Dir: dir})
		want := "name the project directory with bundle.Options.Dir, or add bundle.Options.Artifacts"
		if near != "" {
			want = "did you mean bundle.Options.Dir "
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", dir, err, want)
			continue
		}
		if _, meant, _ := strings.Cut(err.Error(), want); near != "" && !same(t, strings.TrimRight(meant, "?)"), filepath.Join(root, near)) {
			t.Errorf("%s: %v, want %s", dir, err, near)
		}
	}
	// What has something in it may well have no states.
	b, err := bundle.New(t.Context(), bundle.Options{Dir: filepath.Join(root, "shop/web"), Artifacts: []bundle.Artifact{{Path: "program"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if w := b.Warnings(); len(w) != 1 || !strings.Contains(w[0].String(), "is that the project directory?") {
		t.Errorf("warnings %v", w)
	}
}

// TestNearbyQuoted: the hint can be copied into a shell.
func TestNearbyQuoted(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "my shop", "_salt"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := bundle.New(t.Context(), bundle.Options{Dir: root})
	if want := "did you mean bundle.Options.Dir '" + filepath.Join(root, "my shop") + "'?"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func same(t *testing.T, a, b string) bool {
	t.Helper()
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

package bundle_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAlone runs a program that imports no other package of ours, nor one that
// imports hashes.
func TestAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "_salt"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "_salt", "a.sls"), []byte("a: {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "go", "run", "./testdata/alone", dir).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "sha256:") {
		t.Errorf("%v\n%s", err, out)
	}
}

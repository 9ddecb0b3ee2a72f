package ci

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestProgram: Program passes arguments on, and returns the exit status.
func TestProgram(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	status, err := Program(t.Context(), &stdout, &stderr, "./testdata/program", "a b", "c")
	if status != 3 || err != nil || stdout.String() != "[a b c]\n" || stderr.String() != "Error: no\n" {
		t.Errorf("status %d, error %v, %q, %q", status, err, &stdout, &stderr)
	}
	if _, err := Program(t.Context(), &stdout, &stderr, "./testdata/none"); err == nil {
		t.Error("a missing program compiles")
	}
}

// TestMagefileIsSmall: mage compiles the magefile before a target can say anything, so
// the magefile needs nothing large: no network, and hence no cgo.
func TestMagefileIsSmall(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags=mage", "./magefiles")
	cmd.Dir = filepath.Join("..", "..", "..")
	list, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range []string{"net", "os/user", "dagger.io/dagger", project + "/internal/dev/salt"} {
		if slices.Contains(strings.Fields(string(list)), pkg) {
			t.Errorf("the magefile needs %s: have a program of internal/dev/cmd do that work", pkg)
		}
	}
}

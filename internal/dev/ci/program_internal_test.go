package ci

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
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

// TestProgramEnds: a program that ends well after an interrupt, such as a server, has not failed.
func TestProgramEnds(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no process can interrupt another one here")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stderr bytes.Buffer
	status, err := Program(ctx, writer(cancel), &stderr, "./testdata/program", "wait")
	if status != 0 || err != nil {
		t.Errorf("status %d, error %v, %q", status, err, &stderr)
	}
}

// writer is called for each text.
type writer func()

func (w writer) Write(p []byte) (int, error) {
	w()
	return len(p), nil
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

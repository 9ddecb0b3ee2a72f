package tempfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/spirostack/spirodeploy/internal/tempfile"
)

// TestAppend appends several contents, one of them broken, and reads each.
func TestAppend(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f, err := tempfile.New()
	if err != nil {
		t.Fatal(err)
	}
	one, err := f.Append(strings.NewReader("one"))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	_, err = f.Append(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || errors.As(err, new(*tempfile.Error)) {
		t.Errorf("a reader that breaks gives %v", err)
	}
	two, err := f.Append(strings.NewReader("two"))
	if err != nil {
		t.Fatal(err)
	}
	for want, r := range map[string]io.Reader{"one": one, "two": two} {
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Append(strings.NewReader("late")); !errors.As(err, new(*tempfile.Error)) || !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed file gives %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	missing := filepath.Join(dir, "missing")
	t.Setenv("TMPDIR", missing)
	if _, err := tempfile.New(); err == nil || err.Error() != "temporary file in "+missing+": no such file or directory" {
		t.Errorf("without a directory: %v", err)
	}
}

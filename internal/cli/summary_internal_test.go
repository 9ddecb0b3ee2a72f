package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// TestSummary: a report is added to the summary of a job, and never makes it larger
// than GitHub shows.
func TestSummary(t *testing.T) {
	t.Parallel()
	rep := report.New(report.Request{Project: "shop", Deployment: "prod"})
	rep.Targets[0].Finish(errors.New(strings.Repeat("it broke ", 100_000)))
	rep.Finish()
	for name, tt := range map[string]struct {
		before int
		asked  bool // by a flag
		added  bool
	}{
		"empty": {0, false, true}, "some": {500 << 10, false, true}, "nearly full": {1<<20 - 3<<10, false, true}, "full": {1<<20 - 1, false, false},
		"asked for": {1000, true, true}, "asked for and full": {2 << 20, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "summary.md")
			if err := os.WriteFile(path, bytes.Repeat([]byte("x"), tt.before), 0o600); err != nil {
				t.Fatal(err)
			}
			var said bytes.Buffer
			w := World{Stderr: &said, Getenv: func(name string) string { return map[string]string{"GITHUB_STEP_SUMMARY": path}[name] }}
			w.known = new(token.Known)
			var reports []reportFile
			if tt.asked {
				reports = []reportFile{{"markdown", path}}
			}
			err := w.write(t.Context(), rep, reports)
			w.summarize(Settings{}, rep, reports)
			text, readErr := os.ReadFile(path)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if added := len(text) > tt.before; added != tt.added || !strings.HasPrefix(string(text), strings.Repeat("x", tt.before)) || added && len(text) > 1<<20 {
				t.Errorf("%d bytes became %d", tt.before, len(text))
			}
			if strings.Count(string(text), "### ") > 1 {
				t.Error("it was added twice")
			}
			if complained := err != nil || strings.Contains(said.String(), "shows nothing of more than"); complained == tt.added {
				t.Errorf("error %v, said %q", err, &said)
			}
		})
	}
}

package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// TestDefused: JSON on standard output is no command to the log that it is in,
// in whatever parts it is written, and means the same.
func TestDefused(t *testing.T) {
	t.Parallel()
	doc := `{"a": "##vso[task.x] ##TeamCity[y] ##[error]z # ## ###", "b": "#"}` + "\n"
	for size := 1; size <= len(doc); size++ {
		var out strings.Builder
		d := defused(&out)
		for rest := doc; rest != ""; {
			n := min(size, len(rest))
			if _, err := d.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if got := out.String(); sanitize.Defuse(got) != got {
			t.Errorf("in parts of %d: %s", size, got)
		}
		var before, after map[string]string
		if json.Unmarshal([]byte(doc), &before) != nil || json.Unmarshal([]byte(out.String()), &after) != nil || before["a"] != after["a"] || before["b"] != after["b"] {
			t.Errorf("in parts of %d it became %s", size, &out)
		}
	}
}

// TestHarmlessLines: no line of a report on standard output is a command to GitHub's
// runner, in whatever parts it is written.
func TestHarmlessLines(t *testing.T) {
	t.Parallel()
	doc := "<x>\n::error::a\n  ::stop-commands::b</x>\n::c::"
	for size := 1; size <= len(doc); size++ {
		var out strings.Builder
		h := harmlessLines(&out, view.GitHub)
		for rest := doc; rest != ""; {
			n := min(size, len(rest))
			if _, err := h.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		h.flush()
		if got := out.String(); got != view.GitHub.Harmless(doc) || strings.Contains(got, "\n::") {
			t.Errorf("in parts of %d: %s", size, got)
		}
	}
}

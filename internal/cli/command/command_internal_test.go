package command

import (
	"bytes"
	"slices"
	"testing"

	"github.com/spirostack/spirodeploy/internal/cli"
)

// TestVerbatim: arguments that are not UTF-8, or that JSON would escape, stay as they are.
func TestVerbatim(t *testing.T) {
	t.Parallel()
	var said bytes.Buffer
	world := cli.World{Getenv: func(string) string { return "" }, Stdout: &said, Stderr: &said}
	line, exit := parse([]string{"--dir", "d\xff", "--artifact=a\xfe=<b>", "--artifact", "c,\u2028", "--report=json=r\xff.json", "sh\xffop", "pr&d"}, world)
	f, ok := line.(*flags)
	if exit != goOn || !ok {
		t.Fatalf("%T, status %d: %s", line, exit, &said)
	}
	got := slices.Concat([]string{f.Dir, f.Project, f.Deployment}, f.Artifacts, f.Reports)
	if want := []string{"d\xff", "sh\xffop", "pr&d", "a\xfe=<b>", "c,\u2028", "json=r\xff.json"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

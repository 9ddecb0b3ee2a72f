package bundle_test

import (
	"archive/tar"
	"bytes"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// FuzzDiff compares any two tars, both ways round: what one way adds, the other
// removes, and nothing that it says acts on a terminal.
func FuzzDiff(f *testing.F) {
	one := pack(f, folder("d/"), file("d/x", "content"), link("l", "d/x"))
	two := pack(f, file("d", ""), file("l", "text"), file("\x1b[2J\u202e", "x"), link("m", "\x07"))
	three := pack(f, file("d/x", "another"), file("d/x", "again"), with(file("run", ""), func(h *tar.Header) { h.Mode = 0o755 }))
	for _, seed := range [][2][]byte{{one, two}, {two, three}, {three, one}, {nil, one}, {make([]byte, 1024), two}, {one[:700], three}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		there, err := bundle.Diff(bytes.NewReader(a), bytes.NewReader(b))
		back, backErr := bundle.Diff(bytes.NewReader(b), bytes.NewReader(a))
		if (err == nil) != (backErr == nil) || len(there) != len(back) {
			t.Fatalf("%d changes and %v, the other way %d and %v", len(there), err, len(back), backErr)
		}
		for i, c := range there {
			if sanitize.Line(c.String()) != c.String() {
				t.Errorf("%q is not harmless", c)
			}
			if r := back[i]; c.Name != r.Name || (c.Kind == bundle.Added) != (r.Kind == bundle.Removed) || (c.Kind == bundle.Changed) != (r.Kind == bundle.Changed) {
				t.Errorf("%s, the other way %s", c, r)
			}
			if i > 0 && strings.Compare(there[i-1].Name, c.Name) >= 0 {
				t.Errorf("%q comes after %q", c.Name, there[i-1].Name)
			}
		}
		if err == nil {
			if same, err := bundle.Diff(bytes.NewReader(a), bytes.NewReader(a)); err != nil || len(same) > 0 {
				t.Errorf("from itself it differs in %v, %v", same, err)
			}
		}
	})
}

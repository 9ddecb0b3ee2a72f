package bundle_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	foreign := func(h *tar.Header) {
		h.Uid, h.Uname, h.ModTime, h.Mode, h.Format = 1000, "me", time.Unix(5, 0), h.Mode|0o60, tar.FormatGNU
		h.Name = "./" + h.Name
	}
	hard := func(name, target string) *tar.Header {
		return with(link(name, target), func(h *tar.Header) { h.Typeflag = tar.TypeLink })
	}
	old := []*tar.Header{
		folder("d/"), file("d/same", "same"), file("d/x", "one"), link("l", "d/x"), file("m", ""), file("gone", "x"),
	}
	for _, tt := range []struct {
		name     string
		old, new []*tar.Header
		want     string
	}{
		{"equal", old, old, ""},
		{"both empty", nil, nil, ""},
		{
			"owner, time, mode, order, ./", old, []*tar.Header{
				with(file("gone", "x"), foreign), with(link("l", "d/x"), foreign), with(file("m", ""), foreign),
				with(folder(""), foreign), with(file("d/x", "one"), foreign), with(folder("d/"), foreign), with(file("d/same", "same"), foreign),
			}, "",
		},
		{"names written in other ways", []*tar.Header{folder("d/"), file("d/x", "")}, []*tar.Header{folder(".//d"), file("././d//x", "")}, ""},
		{"hard link", []*tar.Header{file("a", "x"), file("b", "x")}, []*tar.Header{file("./a", "x"), hard("./b", "./a")}, ""},
		{"hard link to something else", []*tar.Header{file("a", "x"), file("b", "x")}, []*tar.Header{file("a", "yy"), hard("b", "a")}, "~ a (size 1 → 2)\n~ b (size 1 → 2)\n"},
		{"the later counts", []*tar.Header{file("a", "x")}, []*tar.Header{file("a", "y"), file("./a", "x")}, ""},
		{
			"changes", old, []*tar.Header{
				folder("d/"), file("d/same", "same"), file("d/x", "two"), link("l", "m"), with(file("m", ""), func(h *tar.Header) { h.Mode = 0o755 }), folder("new/"), file("new/x", ""),
			}, "~ d/x (content)\n- gone\n~ l (link d/x → m)\n~ m (mode 0644 → 0755)\n+ new\n+ new/x\n",
		},
		{"kinds", []*tar.Header{file("a", ""), file("b", "")}, []*tar.Header{folder("a/"), link("b", "a")}, "~ a (another kind)\n~ b (another kind)\n"},
		{"control characters", nil, []*tar.Header{file("\x1b[0m", "")}, "+ \\x1b[0m\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.old, tt.new = cloned(tt.old), cloned(tt.new)
			changes, err := bundle.Diff(bytes.NewReader(pack(t, tt.old...)), bytes.NewReader(pack(t, tt.new...)))
			check(t, err)
			var got strings.Builder
			for _, c := range changes {
				fmt.Fprintln(&got, c)
				if (c.Old == nil) != (c.Kind == bundle.Added) || (c.New == nil) != (c.Kind == bundle.Removed) {
					t.Errorf("%s: old %v, new %v", c.Kind, c.Old, c.New)
				}
			}
			equal(t, "changes", got.String(), tt.want)
		})
	}
	for want, in := range map[string][2]string{
		"old bundle: read bundle: it is empty":       {"", "x"},
		"new bundle: read bundle: not a tar archive": {string(make([]byte, 1024)), "x"},
	} {
		if _, err := bundle.Diff(strings.NewReader(in[0]), strings.NewReader(in[1])); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// cloned returns copies: packing empties a header of its content.
func cloned(headers []*tar.Header) []*tar.Header {
	clones := make([]*tar.Header, len(headers))
	for i, h := range headers {
		c := *h
		if content, ok := h.PAXRecords[contentKey]; ok {
			c.PAXRecords = map[string]string{contentKey: content}
		}
		clones[i] = &c
	}
	return clones
}

package preflight_test

import (
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// tree is a bundle: contents by name. "-> x" is a symbolic link.
type tree map[string]string

func (t tree) Items() iter.Seq[bundle.Item] {
	return func(yield func(bundle.Item) bool) {
		for _, name := range slices.Sorted(maps.Keys(t)) {
			it := bundle.Item{Name: name}
			if to, ok := strings.CutPrefix(t[name], "-> "); ok {
				it.Mode, it.Link = fs.ModeSymlink, to
			}
			if !yield(it) {
				return
			}
		}
	}
}

func (t tree) Has(name string) (dir, ok bool) {
	if _, ok := t[name]; ok {
		return false, true
	}
	for other := range t {
		dir = dir || strings.HasPrefix(other, name+"/")
	}
	return dir, dir
}

func (t tree) OpenItem(name string) (io.ReadCloser, error) {
	content, ok := t[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

// TestFiles follows links as the server does.
func TestFiles(t *testing.T) {
	t.Parallel()
	f := preflight.Of(tree{
		"real/init.sls": "content", "link": "-> real", "far/up": "-> ../link/init.sls", "round": "-> again", "again": "-> round", "./dotted.sls": "",
	})
	if got, want := fmt.Sprint(slices.Sorted(maps.Keys(f.SLS()))), "[dotted real real.init]"; got != want {
		t.Errorf("SLS %s, want %s", got, want)
	}
	for name, want := range map[string]string{
		"real": "dir", "link": "dir", "link/init.sls": "file", "far/up": "file", "round": "none", "round/x": "none", "link/none": "none",
	} {
		got := "none"
		if dir, ok := f.Has(name); dir {
			got = "dir"
		} else if ok {
			got = "file"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	in, err := f.Open("far/up")
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(in); string(content) != "content" || err != nil {
		t.Errorf("content %q, %v", content, err)
	}
	if _, err := f.Open("round"); err == nil {
		t.Error("a link that leads to itself was opened")
	}
}

// TestTolerant checks which problems the options turn into warnings.
func TestTolerant(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		top                string
		opts               preflight.Options
		problems, warnings int
	}{
		{"prod: {'*': [web]}", preflight.Options{}, 0, 0},
		{"prod: {'*': [gone]}", preflight.Options{}, 1, 0},
		{"prod: {'*': [gone]}", preflight.Options{Tolerant: true}, 0, 1},
		{"prod: {'*': [gone]}", preflight.Options{NoHighstate: true}, 0, 1},
		{"prod: {'*': web}", preflight.Options{}, 1, 0},
		{"prod: {'*': web}", preflight.Options{NoHighstate: true}, 1, 0},
		{"prod: {'*': web}", preflight.Options{Tolerant: true}, 0, 1},
	} {
		tt.opts.Project, tt.opts.Deployment = "shop", "prod"
		_, problems, warnings := preflight.Check(t.Context(), preflight.Of(tree{"spirotop.sls": tt.top, "web.sls": ""}), tt.opts)
		if len(problems) != tt.problems || len(warnings) != tt.warnings {
			t.Errorf("%s, %+v: problems %q, warnings %q", tt.top, tt.opts, problems, warnings)
		}
		if got := preflight.Strict(nil, append(warnings, warnings...)...); len(got) != tt.warnings {
			t.Errorf("%s: strictly, %q", tt.top, got)
		}
	}
}

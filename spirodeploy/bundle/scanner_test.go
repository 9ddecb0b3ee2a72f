package bundle_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// TestScanner is a scanner of somebody's own: everything it may yield.
func TestScanner(t *testing.T) {
	t.Parallel()
	dir := project(t, node{'x', "tool", "#!"}, node{'l', "link", "dir/known"}, node{'f', "grows", "before"}, node{'d', "d", ""})
	opened := 0
	scanner := func(_ context.Context, at string, skip func(string) bool) iter.Seq2[bundle.Entry, error] {
		if at != dir || skip("keep") || !skip("drop.pyc") || !skip("a/.git/x") || !skip("drop.pyc/") || skip("_salt/x") {
			t.Errorf("scanner called with %s, and skip is wrong", at)
		}
		return func(yield func(bundle.Entry, error) bool) {
			once := bundle.Entry{Name: "dir/unknown", Size: bundle.Unknown, Mode: 0o700, Open: func() (io.ReadCloser, error) {
				opened++
				return opens("read only once")()
			}}
			grows, err := bundle.FileEntry("grows", filepath.Join(dir, "grows"))
			grows.Size = bundle.Unknown // taken as it is now
			_ = yield(once, nil) &&
				yield(bundle.Entry{Name: "dir/known", Size: 5, Mode: 0o4655, Open: opens("known")}, nil) &&
				yield(bundle.Entry{Name: "empty/", Mode: fs.ModeDir}, nil) &&
				yield(bundle.Entry{Name: "nothing", Size: bundle.Unknown, Open: opens("")}, nil) &&
				yield(bundle.Entry{Name: "drop.pyc", Open: opens("")}, nil) &&
				yield(bundle.Entry{Name: ".git/config", Open: opens("")}, nil) &&
				yield(bundle.FileEntry("bin/tool", filepath.Join(dir, "tool"))) &&
				yield(bundle.FileEntry("link", filepath.Join(dir, "link"))) &&
				yield(bundle.FileEntry("d", filepath.Join(dir, "d"))) &&
				yield(grows, err)
		}
	}
	opts := bundle.Options{Dir: dir, Scanners: []bundle.Scanner{scanner}, Exclude: []string{"*.pyc"}}
	b, err := bundle.New(t.Context(), opts)
	check(t, err)
	defer b.Close()
	check(t, os.WriteFile(filepath.Join(dir, "grows"), []byte("before and after"), 0o644))
	equal(t, "listing", listing(t, readAll(t, b)), `755 bin/
755 bin/tool = "#!"
755 d/
755 dir/
644 dir/known = "known"
755 dir/unknown = "read only once"
755 empty/
644 grows = "before"
644 link -> dir/known
644 nothing = ""
`)
	if opened != 1 {
		t.Errorf("what can be read once was opened %d times", opened)
	}
}

// TestOpenUsesBundle opens an item whose Open opens another one.
func TestOpenUsesBundle(t *testing.T) {
	t.Parallel()
	var b *bundle.Bundle
	var err error
	b, err = bundle.New(t.Context(), bundle.Options{Dir: t.TempDir(), Scanners: []bundle.Scanner{
		of(bundle.Entry{Name: "copy", Size: 3, Open: func() (io.ReadCloser, error) { return b.OpenItem("original") }}),
		of(bundle.Entry{Name: "original", Size: 3, Open: opens("abc")}),
	}})
	check(t, err)
	defer b.Close()
	ends(t, func() {
		r, err := b.OpenItem("copy")
		if err != nil {
			t.Error(err)
			return
		}
		defer r.Close()
		if content, err := io.ReadAll(r); string(content) != "abc" || err != nil {
			t.Errorf("OpenItem reads %q, %v", content, err)
		}
	})
}

// TestReplacedContent: a scanner puts other content in the place of a walked file.
func TestReplacedContent(t *testing.T) {
	t.Parallel()
	dir := project(t, node{'f', "src/a/b", "xx"})
	s := func(ctx context.Context, _ string, skip func(string) bool) iter.Seq2[bundle.Entry, error] {
		return func(yield func(bundle.Entry, error) bool) {
			for e, err := range bundle.Filesystem(ctx, filepath.Join(dir, "src"), skip) {
				if !e.Mode.IsDir() {
					e.Open = func() (io.ReadCloser, error) { return opens("longer")() }
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
	b, err := bundle.New(t.Context(), bundle.Options{Dir: dir, Scanners: []bundle.Scanner{s}})
	check(t, err)
	defer b.Close()
	stops(t, b, bundle.ErrChanged, "read src/a/b: changed since the tree was walked: it has more than 2 bytes")
}

// TestOptionsUntouched: the caller's slices and maps stay as they are.
func TestOptionsUntouched(t *testing.T) {
	t.Parallel()
	dir := project(t, node{'f', "a", ""}, node{'f', "b", ""})
	artifacts := []bundle.Artifact{{Path: "/outside"}, {Path: "a"}, {Path: "b"}}
	want := slices.Clone(artifacts)
	problems(t, bundle.Options{Dir: dir, Artifacts: artifacts})
	build(t, bundle.Options{Dir: dir, Artifacts: artifacts[1:]})
	if !slices.Equal(artifacts, want) {
		t.Errorf("artifacts are now %v", artifacts)
	}
}

func TestItems(t *testing.T) {
	t.Parallel()
	_, b := build(t, bundle.Options{Dir: project(t, node{'x', "_salt/d/x", "12"}, node{'l', "_salt/l", "d"})})
	want := []bundle.Item{
		{Name: "d/", Mode: fs.ModeDir | 0o755}, {Name: "d/x", Mode: 0o755, Size: 2}, {Name: "l", Mode: fs.ModeSymlink | 0o644, Link: "d"},
	}
	if got := slices.Collect(b.Items()); !slices.Equal(got, want) {
		t.Errorf("items: %v", got)
	}
	for range b.Items() {
		break
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	dir := project(t, node{'f', "k=v", ""}, node{'l', "dangling=link", "nowhere"})
	for s, want := range map[string]bundle.Artifact{
		"path": {Path: "path"}, "name=path": {Name: "name", Path: "path"}, "k=v": {Path: "k=v"}, "k2=k=v": {Name: "k2", Path: "k=v"},
		"dangling=link": {Path: "dangling=link"}, dir + "/k=v": {Path: dir + "/k=v"}, "": {},
		"=path": {Path: "=path"}, "name=": {Name: "name"},
	} {
		if got := bundle.ParseArtifact(dir, s); got != want {
			t.Errorf("%q is %+v, want %+v", s, got, want)
		}
	}
	for name, none := range map[string]bool{"": true, "fs": false, "filesystem": false, "git": false} {
		if s, err := bundle.ParseSource(name); err != nil || (s == nil) != none {
			t.Errorf("source %q: %v", name, err)
		}
	}
	if _, err := bundle.ParseSource("svn"); err == nil || err.Error() != `source "svn": not one of filesystem, fs, git` {
		t.Errorf("source svn: %v", err)
	}
}

// TestOutsideArtifacts may be anything that a path can name, with a name.
func TestOutsideArtifacts(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), project(t, node{'f', "app", "x"}, node{'f', "web/i", "y"})
	link := filepath.Join(other, "project")
	check(t, os.Symlink(dir, link))
	plant(t, dir, node{'f', "inside", "z"}, node{'l', "out", other + "/app"})
	data, _ := build(t, bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{
		{Name: "app", Path: other + "/app"}, {Name: "deep/web", Path: other + "/web/"},
		{Path: dir + "/inside"}, {Path: "out"}, {Name: ".", Path: other + "/web"},
	}})
	want := "755 _artifacts/\n644 _artifacts/app = \"x\"\n755 _artifacts/deep/\n755 _artifacts/deep/web/\n" +
		"644 _artifacts/deep/web/i = \"y\"\n644 _artifacts/i = \"y\"\n644 _artifacts/inside = \"z\"\n644 _artifacts/out = \"x\"\n"
	equal(t, "listing", listing(t, data), want)
	// The same file by the other name of its directory.
	data, _ = build(t, bundle.Options{Dir: link, Artifacts: []bundle.Artifact{{Path: dir + "/inside"}}})
	equal(t, "listing", listing(t, data), "755 _artifacts/\n644 _artifacts/inside = \"z\"\n")
}

type brokenWriter struct{}

var errFull = errors.New("disk full")

func (brokenWriter) Write([]byte) (int, error) { return 0, errFull }

func TestWriteToBroken(t *testing.T) {
	t.Parallel()
	_, b := build(t, bundle.Options{Dir: project(t, everything...)})
	if _, err := b.WriteTo(brokenWriter{}); !errors.Is(err, errFull) {
		t.Errorf("WriteTo returns %v", err)
	}
}

// TestLargeFile is larger than any buffer, and none is as large.
func TestLargeFile(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, node{'d', "_salt", ""})
	const size = 64 << 20
	file := filepath.Join(dir, "_salt/large")
	check(t, os.WriteFile(file, nil, 0o644))
	check(t, os.Truncate(file, size))
	b, err := bundle.New(t.Context(), bundle.Options{Dir: dir})
	check(t, err)
	defer b.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := b.Open()
	check(t, err)
	defer r.Close()
	c, err := bundle.Verify(r)
	check(t, err)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 || len(c.Foreign) > 0 {
		t.Errorf("%d bytes allocated to make and verify %d; foreign: %v", used, size, c.Foreign)
	}
	if b.Size() != size+512+1024 {
		t.Errorf("size %d", b.Size())
	}
}

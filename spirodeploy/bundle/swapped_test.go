//go:build unix

package bundle_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// alike makes a file look like another one: the same size and modification time.
func alike(tb testing.TB, file, other string) {
	tb.Helper()
	info, err := os.Stat(other)
	check(tb, err)
	check(tb, os.Chtimes(file, time.Time{}, info.ModTime()))
}

// TestSwapped is a tree that changes between walk and read: what takes the place
// of a file has its size and modification time, and is never read.
func TestSwapped(t *testing.T) {
	t.Parallel()
	const ours, foreign = "the content", "F0REIGN!!!!"
	rename := func(tb testing.TB, from, to string) { check(tb, os.Rename(from, to)) }
	link := func(tb testing.TB, target, file string) { check(tb, os.Symlink(target, file)) }
	for _, tt := range []struct {
		name, want string
		// change is given where a/b/z lies, and where b/z does outside.
		change func(tb testing.TB, in, outside string)
	}{
		{"link", "a symbolic link is in its place", func(tb testing.TB, in, outside string) {
			check(tb, os.Remove(in+"/a/b/z"))
			link(tb, outside+"/b/z", in+"/a/b/z")
		}},
		{"link inside", "a symbolic link is in its place", func(tb testing.TB, in, _ string) {
			rename(tb, in+"/a/b/z", in+"/moved")
			link(tb, "../../moved", in+"/a/b/z")
		}},
		{"hard link", "another file is in its place", func(tb testing.TB, in, outside string) {
			check(tb, os.Remove(in+"/a/b/z"))
			check(tb, os.Link(outside+"/b/z", in+"/a/b/z"))
		}},
		{"other file", "another file is in its place", func(tb testing.TB, in, outside string) {
			rename(tb, outside+"/b/z", in+"/a/b/z")
		}},
		{"directory", "a directory above it is a symbolic link", func(tb testing.TB, in, outside string) {
			rename(tb, in+"/a/b", in+"/moved")
			link(tb, outside+"/b", in+"/a/b")
		}},
		{"directory above", "a directory above it is a symbolic link", func(tb testing.TB, in, outside string) {
			rename(tb, in+"/a", in+"/moved")
			link(tb, outside, in+"/a")
		}},
		{"directory for another", "another file is in its place", func(tb testing.TB, in, outside string) {
			rename(tb, in+"/a", in+"/moved")
			rename(tb, outside, in+"/a")
		}},
		{"rewritten", "its change time is another one", func(tb testing.TB, in, _ string) {
			file := in + "/a/b/z"
			before, err := os.Stat(file)
			check(tb, err)
			for again := true; again; { // the clock of a file system may be coarse
				check(tb, os.WriteFile(file, []byte(foreign), 0o644))
				check(tb, os.Chtimes(file, time.Time{}, before.ModTime()))
				after, err := os.Stat(file)
				check(tb, err)
				again = bundle.ChangeTime(after) == bundle.ChangeTime(before)
			}
		}},
	} {
		for where, opts := range map[string]bundle.Options{
			"_salt":     {},
			"directory": {Artifacts: []bundle.Artifact{{Path: "directory"}}},
			"file":      {Artifacts: []bundle.Artifact{{Path: "file/a/b/z"}}},
			"source":    {Source: bundle.Filesystem},
		} {
			t.Run(tt.name+", "+where, func(t *testing.T) {
				t.Parallel()
				dir, outside := project(t, node{'f', where + "/a/b/z", ours}), project(t, node{'f', "b/z", foreign})
				alike(t, outside+"/b/z", filepath.Join(dir, where, "a/b/z"))
				opts.Dir = dir
				b, err := bundle.New(t.Context(), opts)
				check(t, err)
				defer b.Close()
				tt.change(t, filepath.Join(dir, where), outside)
				var out bytes.Buffer
				_, err = b.WriteTo(&out)
				want := tt.want
				if where == "file" && strings.HasPrefix(want, "a ") {
					want = "" // links that its path leads through are followed: to another file
				}
				if where == "file" && tt.name == "link inside" {
					want = "its change time is another one" // it was renamed
				}
				if !errors.Is(err, bundle.ErrChanged) || !strings.Contains(err.Error(), want) && runtime.GOOS == "linux" {
					t.Errorf("error: %v, want %s", err, want)
				}
				if strings.Contains(out.String(), foreign) {
					t.Error("what is foreign is in the bundle")
				}
			})
		}
	}
	// A file that a path leads to by a link is another one after that has changed.
	for _, file := range []string{"link", "d/z"} {
		dir, outside := project(t, node{'f', "real/z", ours}, node{'l', "link", "real/z"}, node{'l', "d", "real"}), project(t, node{'f', "z", foreign})
		alike(t, filepath.Join(outside, "z"), filepath.Join(dir, "real/z"))
		b, err := bundle.New(t.Context(), bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{{Path: file}}})
		check(t, err)
		check(t, os.RemoveAll(filepath.Join(dir, "real")))
		check(t, os.Symlink(outside, filepath.Join(dir, "real")))
		stops(t, b, bundle.ErrChanged, "read "+file+": changed since the tree was walked: another file is in its place")
		check(t, b.Close())
	}
}

// TestSwappedWhileWalked swaps a directory for a link when the walk has seen it,
// and before it is opened: the walk knows all of a directory's names before that.
func TestSwappedWhileWalked(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"outside", "../inside"} {
		dir, outside := project(t, node{'f', "top/a/b/z", "ours"}, node{'f', "inside/secret", "x"}), project(t, node{'f', "secret", "x"})
		if target == "outside" {
			target = outside
		}
		swapped := false
		skip := func(name string) bool {
			if name == "a/b" && !swapped {
				swapped = true
				check(t, os.Rename(filepath.Join(dir, "top/a/b"), filepath.Join(dir, "moved")))
				check(t, os.Symlink(target, filepath.Join(dir, "top/a/b")))
			}
			return false
		}
		failed := false
		for e, err := range bundle.Filesystem(t.Context(), filepath.Join(dir, "top"), skip) {
			failed = failed || errors.Is(err, bundle.ErrChanged)
			if strings.Contains(e.Name, "secret") {
				t.Errorf("the walk has left the tree: %s", e.Name)
			}
		}
		if !failed {
			t.Error("nothing was told")
		}
	}
}

// TestSwappedAllTheTime swaps a file and a directory for links to the outside, and
// back, while bundles are made: whatever happens, none holds a byte of it.
func TestSwappedAllTheTime(t *testing.T) {
	t.Parallel()
	const foreign = "F0REIGN"
	dir := project(t, node{'f', "_salt/a/z", "content"}, node{'f', "_salt/d/x/z", "content"}, node{'f', "_salt/e", "content"})
	outside := project(t, node{'f', "z", foreign}, node{'f', "x/z", foreign})
	for _, file := range []string{"z", "x/z"} {
		alike(t, filepath.Join(outside, file), filepath.Join(dir, "_salt/a/z"))
	}
	alike(t, filepath.Join(dir, "_salt/d/x/z"), filepath.Join(dir, "_salt/a/z"))
	swap := func(what, target string) error {
		place, aside := filepath.Join(dir, "_salt", what), filepath.Join(dir, "aside")
		return errors.Join(os.Rename(place, aside), os.Symlink(target, place), os.Remove(place), os.Rename(aside, place))
	}
	var ended atomic.Bool
	swapping := make(chan error, 1)
	go func() {
		var err error
		for err == nil && !ended.Load() {
			err = errors.Join(swap("a/z", filepath.Join(outside, "z")), swap("d", outside), swap("d/x", outside))
		}
		swapping <- err
	}()
	whole := 0
	for range 1500 {
		b, err := bundle.New(t.Context(), bundle.Options{Dir: dir, Source: bundle.Filesystem, Exclude: []string{"/.gitcommit", "_source/aside", "aside"}})
		if err != nil {
			continue
		}
		r, err := b.Open()
		check(t, err)
		data, err := io.ReadAll(r)
		check(t, r.Close())
		if err == nil {
			whole++
		}
		if bytes.Contains(data, []byte(foreign)) {
			t.Fatalf("what is outside is in the bundle (%v)", err)
		}
		check(t, b.Close())
	}
	ended.Store(true)
	check(t, <-swapping)
	t.Logf("%d bundles were made", whole)
}

// TestFileOfProc says that it has no bytes, and has some.
func TestFileOfProc(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	b, err := bundle.New(t.Context(), bundle.Options{Dir: t.TempDir(), Artifacts: []bundle.Artifact{{Path: "/proc/version", Name: "v"}}})
	check(t, err)
	defer b.Close()
	stops(t, b, bundle.ErrChanged, "read /proc/version: changed since the tree was walked: it has more than the 0 bytes that its size says")
}

// TestClosedWhileRead: a bundle that is closed while it is read ahead fails its readers,
// and never opens anything in a directory that has got the number of its own.
func TestClosedWhileRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 200 {
		folder := filepath.Join(dir, "_salt", fmt.Sprint("d", i))
		check(t, os.MkdirAll(folder, 0o755))
		check(t, os.WriteFile(filepath.Join(folder, "f"), bytes.Repeat([]byte("x"), 100_000), 0o600))
	}
	for range 50 {
		b, err := bundle.New(t.Context(), bundle.Options{Dir: dir})
		check(t, err)
		r, err := b.Open()
		check(t, err)
		_, err = io.ReadFull(r, make([]byte, 1000))
		check(t, err)
		check(t, b.Close())
		if _, err := io.Copy(io.Discard, r); err == nil {
			t.Error("it was read to its end all the same")
		}
		check(t, r.Close())
	}
}

package bundle_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// TestInterop unpacks a bundle with the programs of others, and compares the
// tree with what the bundle says of itself.
func TestInterop(t *testing.T) {
	t.Parallel()
	data, b := build(t, everythingOptions(project(t, everything...)))
	archive := filepath.Join(t.TempDir(), "bundle.tar")
	check(t, os.WriteFile(archive, data, 0o644))
	want := listing(t, data)
	for name, unpack := range map[string]func(t *testing.T, dir string){
		"GNU tar": func(t *testing.T, dir string) {
			run(t, dir, need(t, "tar"), "xf", archive)
		},
		"Python": func(t *testing.T, dir string) {
			python := need(t, "python3")
			if exec.Command(python, "-c", "import tarfile; tarfile.data_filter").Run() != nil {
				lack(t, "this Python's tarfile has no filters (3.11.4 has)")
			}
			run(t, dir, python, "-c", "import sys, tarfile; tarfile.open(sys.argv[1], 'r:').extractall('.', filter='data')", archive)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			unpack(t, dir)
			found := map[string]bool{}
			check(t, filepath.WalkDir(dir, func(file string, _ fs.DirEntry, err error) error {
				if rel, _ := filepath.Rel(dir, file); err == nil && rel != "." {
					found[filepath.ToSlash(rel)] = true
				}
				return err
			}))
			if len(found) != b.Len() {
				t.Errorf("%d entries, want %d", len(found), b.Len())
			}
			var got strings.Builder
			for it := range b.Items() {
				file := filepath.Join(dir, it.Name)
				info, err := os.Lstat(file)
				check(t, err)
				switch mode := info.Mode(); {
				case mode.Type() != it.Mode.Type():
					t.Errorf("%s is %v, want %v", it.Name, mode, it.Mode)
				case mode.IsDir():
					fmt.Fprintf(&got, "755 %s\n", it.Name)
				case mode&fs.ModeSymlink != 0:
					target, err := os.Readlink(file)
					check(t, err)
					fmt.Fprintf(&got, "644 %s -> %s\n", it.Name, target)
				default:
					content, err := os.ReadFile(file)
					check(t, err)
					perm := 0o644
					if mode&0o100 != 0 {
						perm = 0o755
					}
					fmt.Fprintf(&got, "%o %s = %q\n", perm, it.Name, content)
				}
			}
			equal(t, "unpacked", got.String(), want)
		})
	}
}

// TestForeignTars are made by others: they are told from ours, are safe to
// send, and equal ours in what counts.
func TestForeignTars(t *testing.T) {
	t.Parallel()
	need(t, "tar")
	dir := project(t, everything...)
	check(t, os.Link(filepath.Join(dir, "_salt/top.sls"), filepath.Join(dir, "_salt/top2.sls")))
	data, _ := build(t, bundle.Options{Dir: dir})
	for _, format := range []string{"gnu", "pax"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			foreign := filepath.Join(t.TempDir(), "foreign.tar")
			run(t, filepath.Join(dir, "_salt"), "tar", "--format="+format, "-cf", foreign, ".")
			f, err := bundle.OpenFile(t.Context(), foreign)
			check(t, err)
			defer f.Close()
			if w := f.Warnings(); len(w) != 1 || !strings.Contains(w[0].String(), "is not in this project's bundle format: ") {
				t.Errorf("warnings: %v", w)
			}
			r, err := f.Open()
			check(t, err)
			defer r.Close()
			changes, err := bundle.Diff(strings.NewReader(string(data)), r)
			check(t, err)
			if len(changes) > 0 {
				t.Errorf("changes: %v", changes)
			}
		})
	}
}

package bundle_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

var (
	long = strings.Repeat("long-name/", 12) // split by ustar
	deep = strings.Repeat("x", 120)         // too long to be split
)

// everything is a tree with all that the format has to offer.
var everything = []node{
	{'f', "_salt/top.sls", "base:\n  '*': [shop]\n"},
	{'f', "_salt/shop/init.sls", "# nothing\n"},
	{'f', "_salt/shop.sls", "# sorts before shop/, for . is less than /\n"},
	{'f', "_salt/shop-db.sls", ""},
	{'x', "_salt/shop/files/run.sh", "#!/bin/sh\n"},
	{'f', "_salt/shop/files/größe €.txt", "groß"},
	{'f', "_salt/shop/files/512", strings.Repeat("b", 512)},
	{'d', "_salt/empty/also/empty", ""},
	{'f', "_salt/" + long + "file", "split"},
	{'f', "_salt/" + deep, "pax"},
	{'l', "_salt/link", "shop/files/run.sh"},
	{'l', "_salt/shop/up", "../empty"},
	{'l', "_salt/to-root", "."},
	{'l', "_salt/" + long + "link", strings.Repeat("../", 12) + long + "file"},
	{'l', "_salt/" + long + "ä", "file"},
	{'x', "dist/app", "\x7fELF"},
	{'f', "dist/data/ü", "u"},
	{'f', "a=b.txt", "="},
	{'f', "README.md", "read me\n"},
	{'f', ".git/HEAD", "not a repository\n"},
	{'f', "sub/.git", "gitdir: elsewhere\n"},
	{'f', "sub/_salt/x", "left out of the source\n"},
	{'l', "sub/dist", "../dist"},
}

func everythingOptions(dir string) bundle.Options {
	return bundle.Options{
		Dir:       dir,
		Artifacts: []bundle.Artifact{{Path: "dist"}, {Path: "a=b.txt"}, {Name: "renamed/app", Path: "dist/app"}},
		Source:    bundle.Filesystem,
		Files:     map[string][]byte{"spiro.json": []byte("{}\n"), "made/up": nil},
	}
}

// These change only with the format, and that would be another format.
const (
	everythingDigest     = digest.Digest("sha256:ed46dc436fcf176627d7af4c10a79097555afbbf15e8eaed95a2b906df0cb1c8")
	everythingDigest2023 = digest.Digest("sha256:144f6dd01ee76d1e0ae60c91125eb8eb454568f74df2744a24e63957ad00788f")
)

func TestGolden(t *testing.T) {
	t.Parallel()
	opts := everythingOptions(project(t, everything...))
	for _, tt := range []struct {
		modTime time.Time
		want    digest.Digest
	}{
		{time.Time{}, everythingDigest},
		{time.Unix(0, 0), everythingDigest},
		{time.Unix(1700000000, 0), everythingDigest2023},
		{time.Unix(1700000000, 999).In(time.FixedZone("", 3600)), everythingDigest2023},
	} {
		opts.ModTime = tt.modTime
		data, b := build(t, opts)
		if got, _ := b.Digest(t.Context()); got != tt.want {
			t.Errorf("digest with %v is %s, want %s; the tar holds\n%s", tt.modTime, got, tt.want, listing(t, data))
		}
		opts.Digest = tt.want
		build(t, opts)
		opts.Digest = ""
	}
}

func TestReproducible(t *testing.T) {
	t.Parallel()
	want, _ := build(t, everythingOptions(project(t, everything...)))
	here, err := os.Getwd()
	check(t, err)
	// A parent directory must exist before a file in it gets its time.
	old := func(t *testing.T, dir string) {
		check(t, filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
			if err == nil && d.Type()&os.ModeSymlink == 0 {
				err = os.Chtimes(file, time.Unix(1, 2), time.Unix(3, 4))
			}
			return err
		}))
	}
	for name, makeTree := range map[string]func(t *testing.T) string{
		"backwards": func(t *testing.T) string {
			nodes := slices.Clone(everything)
			slices.Reverse(nodes)
			return project(t, nodes...)
		},
		"shuffled": func(t *testing.T) string {
			nodes := slices.Clone(everything)
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
			return project(t, nodes...)
		},
		"private": func(t *testing.T) string {
			dir := t.TempDir()
			check(t, plantAs(dir, true, everything...))
			return dir
		},
		"setuid": func(t *testing.T) string {
			dir := project(t, everything...)
			check(t, os.Chmod(filepath.Join(dir, "_salt/top.sls"), 0o4666))
			check(t, os.Chmod(filepath.Join(dir, "dist/app"), 0o2711))
			check(t, os.Chmod(filepath.Join(dir, "_salt/shop"), 0o1777))
			return dir
		},
		"old": func(t *testing.T) string {
			dir := project(t, everything...)
			old(t, dir)
			return dir
		},
		"parent": func(t *testing.T) string {
			dir := filepath.Join(t.TempDir(), "ein anderer Ort", "_salt", "_source")
			plant(t, dir, everything...)
			return dir
		},
		"relative": func(t *testing.T) string {
			dir, err := filepath.Rel(here, project(t, everything...))
			check(t, err)
			return dir
		},
		"unclean": func(t *testing.T) string { return project(t, everything...) + "/sub/./..//" },
		"linked": func(t *testing.T) string {
			link := filepath.Join(t.TempDir(), "link")
			check(t, os.Symlink(project(t, everything...), link))
			return link
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _ := build(t, everythingOptions(makeTree(t))); !bytes.Equal(got, want) {
				t.Errorf("other bytes; they hold\n%s", listing(t, got))
			}
		})
	}
}

// TestEveryOrder holds for what comes in an order that is nobody's: of scanners
// and of a map.
func TestEveryOrder(t *testing.T) {
	t.Parallel()
	dir := project(t, everything...)
	want, _ := build(t, everythingOptions(dir))
	for range 5 {
		opts := everythingOptions(dir)
		slices.Reverse(opts.Artifacts)
		got, _ := build(t, opts)
		if !bytes.Equal(got, want) {
			t.Error("other bytes when the artifacts come in another order")
		}
	}
}

func init() {
	children["digest"] = func() error {
		dir, err := os.MkdirTemp("", "")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := plantAs(dir, false, everything...); err != nil {
			return err
		}
		if err := os.Chdir(dir); err != nil {
			return err
		}
		b, err := bundle.New(context.Background(), everythingOptions(""))
		if err != nil {
			return err
		}
		defer b.Close()
		d, err := b.Digest(context.Background())
		fmt.Println(d)
		return err
	}
}

package bundle_test

import (
	"archive/tar"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// TestKeep changes the tree after Keep: readers get the bytes from before.
func TestKeep(t *testing.T) {
	t.Parallel()
	dir := project(t, node{'f', "_salt/a.sls", "before"}, node{'f', "tool", "#!"})
	b, err := bundle.New(t.Context(), bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{{Path: "tool"}}})
	check(t, err)
	want := readAll(t, b)
	check(t, b.Keep(t.Context()))
	check(t, b.Keep(t.Context()))
	check(t, os.WriteFile(filepath.Join(dir, "_salt", "a.sls"), []byte("after"), 0o644))
	for range 2 {
		if got := readAll(t, b); !bytes.Equal(got, want) {
			t.Errorf("Open reads %d other bytes", len(got))
		}
	}
	r, err := b.OpenItem("a.sls")
	check(t, err)
	content, err := io.ReadAll(r)
	check(t, err)
	equal(t, "OpenItem", string(content), "before")
	check(t, b.Close())
	if r, err := b.Open(); err == nil {
		if _, err := io.ReadAll(r); err == nil {
			t.Error("a closed bundle can be read")
		}
	}
}

// TestArchiveCut names the file that has lost bytes if an archive is cut after the walk.
func TestArchiveCut(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	check(t, w.WriteHeader(&tar.Header{Name: "x", Mode: 0o644, Size: 5000}))
	_, err := w.Write(make([]byte, 5000))
	check(t, errors.Join(err, w.Close()))
	file := filepath.Join(t.TempDir(), "archive.tar")
	check(t, os.WriteFile(file, out.Bytes(), 0o600))
	b, err := bundle.New(t.Context(), bundle.Options{Dir: t.TempDir(), Source: bundle.Archive(file)})
	check(t, err)
	defer b.Close()
	check(t, os.Truncate(file, 512+1000))
	stops(t, b, bundle.ErrChanged, "read "+bundle.SourceDir+"/x: changed since the tree was walked: 4000 bytes of it are gone")
}

// TestArchive bundles the archive of a commit as Git does, without a repository.
func TestArchive(t *testing.T) {
	t.Parallel()
	dir := repository(t, node{'f', "_salt/a.sls", "x"}, node{'x', "bin/run", "#!"}, node{'l', "link", "bin/run"})
	file, err := os.Create(filepath.Join(t.TempDir(), "archive.tar"))
	check(t, err)
	warnings, err := bundle.GitArchive(t.Context(), dir, file)
	check(t, err)
	check(t, file.Close())
	if len(warnings) > 0 {
		t.Errorf("warnings: %v", warnings)
	}
	files := map[string][]byte{bundle.GitCommitFile: nil}
	want, _ := build(t, bundle.Options{Dir: dir, Source: bundle.Git, Files: files})
	plain := project(t, node{'f', "_salt/a.sls", "x"})
	got, _ := build(t, bundle.Options{Dir: plain, Source: bundle.Archive(file.Name()), Files: files})
	equal(t, "listing", listing(t, got), listing(t, want))
	problems(t, bundle.Options{Dir: plain, Source: bundle.Archive(filepath.Join(plain, "missing"))})
}

// TestExplain spells the hint of a problem as a front end does.
func TestExplain(t *testing.T) {
	t.Parallel()
	ps := problems(t, bundle.Options{Dir: project(t, node{'l', "_salt/{dir}", "nowhere"})})
	flags := func(o fault.Option) string { return "--" + string(o) }
	equal(t, "line", fault.Line(ps, flags), `_salt/{dir}: symbolic link to nowhere dangles: there is no nowhere in the bundle: to leave it out: --exclude '/\{dir\}'`)
}

// TestHintForLists: no front end takes the pattern of a hint for a list: mage splits one at
// commas, and the Dagger command reads it as CSV.
func TestHintForLists(t *testing.T) {
	t.Parallel()
	dir := project(t, node{'f', "_salt/top.sls", ""}, node{'l', `_salt/a,"b`, "nowhere"})
	const hint = "to leave it out: bundle.Options.Exclude "
	_, pattern, found := strings.Cut(problems(t, bundle.Options{Dir: dir}).Error(), hint)
	pattern = strings.Trim(pattern, "')")
	fields, err := csv.NewReader(strings.NewReader(pattern)).Read()
	if !found || err != nil || len(fields) != 1 || fields[0] != pattern || strings.Contains(pattern, ",") {
		t.Fatalf("the pattern is %q, and as CSV %q, %v", pattern, fields, err)
	}
	build(t, bundle.Options{Dir: dir, Exclude: []string{pattern}})
}

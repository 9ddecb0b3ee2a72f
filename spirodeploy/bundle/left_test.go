package bundle_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// TestLeftOvers: what another run is writing, or a killed one has left, is in no
// bundle, wherever it lies; what only looks a little like it is.
func TestLeftOvers(t *testing.T) {
	t.Parallel()
	dir := project(
		t, node{'f', "_salt/a", ""}, node{'f', "_salt/.b.tar.ABCDEFGH.tmp", "x"}, node{'f', "art/sub/.b.22222222.tmp", "x"}, node{'f', "art/.b.tmp", ""},
		node{'f', "src/.ABCDEFGH.tmp", ""}, node{'f', "src/.x.abcdefgh.tmp", ""}, node{'f', "src/x.ABCDEFGH.tmp", ""}, node{'f', "src/.x.ABCDEFG.tmp", ""},
	)
	opts := bundle.Options{Dir: dir, Artifacts: []bundle.Artifact{{Path: "art"}}, Source: bundle.Filesystem, Exclude: []string{"_source/art", "/.gitcommit"}}
	const want = `755 _artifacts/
755 _artifacts/art/
644 _artifacts/art/.b.tmp = ""
755 _artifacts/art/sub/
755 _source/
755 _source/src/
644 _source/src/.ABCDEFGH.tmp = ""
644 _source/src/.x.ABCDEFG.tmp = ""
644 _source/src/.x.abcdefgh.tmp = ""
644 _source/src/x.ABCDEFGH.tmp = ""
644 a = ""
`
	err := atomicfile.Write(t.Context(), filepath.Join(dir, "bundle.tar"), nil, func(io.Writer) error {
		if names, err := os.ReadDir(dir); err != nil || len(names) != 4 {
			t.Errorf("beside the file that is written there are %v, %v", names, err)
		}
		data, _ := build(t, opts)
		equal(t, "listing", listing(t, data), want)
		return nil
	})
	check(t, err)
}

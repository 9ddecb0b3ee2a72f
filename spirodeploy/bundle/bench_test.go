package bundle_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// many is a tree of 2,000 small files.
func many(tb testing.TB) string {
	nodes := make([]node, 2000)
	for i := range nodes {
		nodes[i] = node{'f', fmt.Sprintf("_salt/formula%02d/file%04d.sls", i%50, i), strings.Repeat("line\n", i%400)}
	}
	return project(tb, nodes...)
}

func BenchmarkBundle(b *testing.B) {
	dir := many(b)
	b.ReportAllocs()
	for b.Loop() {
		tree, err := bundle.New(b.Context(), bundle.Options{Dir: dir, GitDescribe: bundle.DescribeOff})
		check(b, err)
		n, err := tree.WriteTo(io.Discard)
		check(b, err)
		b.SetBytes(n)
		check(b, tree.Close())
	}
}

func BenchmarkVerify(b *testing.B) {
	data, _ := build(b, bundle.Options{Dir: many(b)})
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := bundle.Verify(bytes.NewReader(data))
		check(b, err)
	}
}

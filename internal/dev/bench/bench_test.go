package bench_test

import (
	"io"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/bench"
)

// TestNoRuns: measuring less than once is refused.
func TestNoRuns(t *testing.T) {
	t.Parallel()
	for _, runs := range []int{0, -1} {
		err := bench.Run(t.Context(), bench.Options{Runs: runs, Only: "no such case", Out: io.Discard})
		if err == nil || !strings.Contains(err.Error(), "there must be one at least") {
			t.Errorf("%d runs: the error is %v", runs, err)
		}
	}
}

package bench

import (
	"strings"
	"testing"
	"time"
)

// TestMeasured: a peak that is not known is not shown as 0.
func TestMeasured(t *testing.T) {
	t.Parallel()
	for kib, want := range map[int64]string{0: "  peak not known", 3 << 10: "  peak 3 MiB"} {
		if got := (Result{Median: time.Second, PeakKiB: kib}).measured(); !strings.HasSuffix(got, want) {
			t.Errorf("%d KiB: %q, want %q at the end", kib, got, want)
		}
	}
}

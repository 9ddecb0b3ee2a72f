package human_test

import (
	"testing"

	"github.com/spirostack/spirodeploy/internal/human"
)

func TestThousands(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -999: "-999", 1234567: "1,234,567"} {
		if got := human.Thousands(n); got != want {
			t.Errorf("Thousands(%d) = %q, want %q", n, got, want)
		}
	}
}

package command

import (
	"math"
	"runtime/debug"
	"testing"
)

// TestLimitMemory: GOGC and GOMEMLIMIT replace one setting each.
func TestLimitMemory(t *testing.T) {
	before, most := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() {
		ballast = nil
		debug.SetGCPercent(before)
		debug.SetMemoryLimit(most)
	})
	for _, test := range []struct {
		name    string
		env     map[string]string
		percent int
		limit   int64
		ballast int
	}{
		{"none", nil, 60, 100 << 20, 16 << 20},
		{"GOGC", map[string]string{"GOGC": "100"}, 100, 84 << 20, 0},
		{"GOMEMLIMIT", map[string]string{"GOMEMLIMIT": "1GiB"}, 60, math.MaxInt64, 16 << 20},
		{"both", map[string]string{"GOGC": "off", "GOMEMLIMIT": "1GiB"}, 100, math.MaxInt64, 0},
	} {
		ballast = nil
		debug.SetGCPercent(100)
		debug.SetMemoryLimit(math.MaxInt64)
		limitMemory(func(name string) string { return test.env[name] })
		percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
		if percent != test.percent || limit != test.limit || len(ballast) != test.ballast {
			t.Errorf("%s: %d %%, limit %d, ballast %d; want %d, %d, %d", test.name, percent, limit, len(ballast), test.percent, test.limit, test.ballast)
		}
	}
}

package cli

import (
	"errors"
	"strconv"
	"strings"
)

// parseSize reads a number of bytes: "64MiB", "64M" or "67108864". Units are binary,
// in capitals or not.
func parseSize(s string) (int, error) {
	digits := strings.TrimRight(s, "bBiIkKmMgG ")
	shift, ok := map[string]int{"": 0, "b": 0, "k": 10, "kib": 10, "kb": 10, "m": 20, "mib": 20, "mb": 20, "g": 30, "gib": 30, "gb": 30}[strings.ToLower(strings.TrimSpace(s[len(digits):]))]
	n, err := strconv.ParseUint(digits, 10, 31)
	if !ok || err != nil || n<<shift < minSize || n<<shift > maxSize {
		return 0, errors.New("not a size from 1KiB to 1GiB, such as 64MiB")
	}
	return int(n << shift), nil //nolint:gosec // it is no more than maxSize
}

// The smallest and the largest size that a flag takes, in bytes. A number without its unit is
// below them: the run would fail after it has deployed.
const (
	minSize = 1 << 10
	maxSize = 1 << 30
)

package cli

import "testing"

func TestParseSize(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"65536": 65536, "64MiB": 64 << 20, "64M": 64 << 20, "64 mb": 64 << 20, "64k": 64 << 10, "1G": 1 << 30, "65537b": 65537, "1073741824": 1 << 30,
		"": 0, "0": 0, "16": 0, "1023": 0, "0KiB": 0, "-1": 0, "1.5M": 0, "2G": 0, "M": 0, "1T": 0, "1MM": 0, "1 M i": 0, "99999999999999999999": 0, "1073741825": 0, "4194304K": 0,
	} {
		if got, err := parseSize(in); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, %v, want %d", in, got, err, want)
		}
	}
}

package cli

import (
	"slices"
	"strings"
	"testing"
)

// TestClashes: each word of the table is a flag that given knows.
func TestClashes(t *testing.T) {
	t.Parallel()
	given := new(Settings).given()
	for _, clash := range clashes {
		for _, flag := range slices.Concat([]string{clash.with}, strings.Fields(clash.flags)) {
			if _, ok := given[flag]; !ok {
				t.Errorf("%s: %q is no flag that given knows", clash.with, flag)
			}
		}
	}
}

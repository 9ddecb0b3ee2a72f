package generate_test

import (
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/generate"
)

// TestUpToDate builds the generator, which takes a while the first time.
func TestUpToDate(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("building the code generator takes long")
	}
	if err := generate.Check(t.Context(), "../../.."); err != nil {
		t.Fatal(err)
	}
}

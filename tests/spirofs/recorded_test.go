package spirofs_test

import (
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
)

// TestRecorded: the server still sends the streams that the tests of all other packages
// read.
func TestRecorded(t *testing.T) {
	t.Parallel()
	m := unhardened(t)
	for _, name := range streams.All {
		switch name {
		case "minion-not-responding":
			continue // it would hold up the other tests; TestTLS has a similar one
		case "states-failed":
			continue // it depends on the version of Salt: see TestMatrix
		}
		got, err := m.Record(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := streams.Read(name); !salt.Same(got, want) {
			t.Errorf("%s: the server sends\n%s\nwant\n%s", name, got, want)
		}
	}
}

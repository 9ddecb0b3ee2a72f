package cli

import (
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/errlist"
)

// TestExpectMinions: what cannot be an id is refused before the deployment.
func TestExpectMinions(t *testing.T) {
	t.Parallel()
	s := Settings{ExpectMinions: []string{"web1", "web1.example.com", "web@1", "old web", "größe", `web\xff`}}
	if err := errlist.Join(s.checkExpectations()...); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"web*", "web?", "web[12]", " web1", "web1\n", "G@role:web", "web1 or web2", "eu/web1", "a\x00b", "web\xff1", strings.Repeat("a", 256)} {
		s := Settings{ExpectMinions: []string{id}}
		if err := errlist.Join(s.checkExpectations()...); err == nil || !strings.Contains(err.Error(), "the id of one minion, not a pattern") {
			t.Errorf("%q: %v", id, err)
		}
	}
}

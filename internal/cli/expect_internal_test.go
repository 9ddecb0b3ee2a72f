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
	for id, says := range map[string]string{
		"web*": "not a pattern", "web?": "not a pattern", "web[12]": "not a pattern", "G@role:web": "not a pattern", "web1 or web2": "not a pattern",
		"web1,web2": "it takes one id", "": "is a variable not set?", " web1": "white space", "web1\n": "white space",
		"eu/web1": "a character that no id has", "a\x00b": "a character that no id has", "web\xff1": "not UTF-8", strings.Repeat("a", 256): "longer than 255 bytes",
	} {
		s := Settings{ExpectMinions: []string{id}}
		if err := errlist.Join(s.checkExpectations()...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %s", id, err, says)
		}
	}
}

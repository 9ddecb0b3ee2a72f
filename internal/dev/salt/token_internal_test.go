package salt

import (
	"strings"
	"testing"
	"time"
)

// TestToken: the tokens allow what they should, as far as their holder can read.
func TestToken(t *testing.T) {
	t.Parallel()
	m := &Master{key: []byte("a-key")}
	if r, err := m.RootToken().Rights(); err != nil || !r.Any || !r.NotAfter.IsZero() {
		t.Errorf("root: %v, %v", r, err)
	}
	tok := m.Token(time.Hour, "shop", "blog")
	if r, err := tok.Rights(); err != nil || !r.Allows("shop") || !r.Allows("blog") || r.Allows("wiki") || time.Until(r.NotAfter) < 59*time.Minute {
		t.Errorf("two projects: %v, %v", r, err)
	}
	narrowed, err := Narrow(tok, map[string]any{"project_allow": []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := narrowed.Rights(); err != nil || !r.Allows("shop") || r.Allows("blog") {
		t.Errorf("narrowed: %v, %v", r, err)
	}
}

// TestSame: times and job numbers make no difference, comments do.
func TestSame(t *testing.T) {
	t.Parallel()
	one := `{"pid": 12, "duration": 3.5, "jid": "2026", "start_time": "11:00", "comment": "a"}`
	other := `{"pid": 7, "duration": 12, "jid": "2027", "start_time": "12:01", "comment": "a"}`
	if !Same([]byte(one), []byte(other)) || Same([]byte(one), []byte(strings.Replace(one, `"a"`, `"b"`, 1))) {
		t.Error("not what it says")
	}
}

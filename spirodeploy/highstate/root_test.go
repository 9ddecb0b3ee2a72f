package highstate_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// TestRoot: the root is the first state that failed by itself.
func TestRoot(t *testing.T) {
	t.Parallel()
	const lacks = "One or more requisite failed: "
	for name, tt := range map[string]struct{ states, id, comment string }{
		"none":             {`"a_|-b_|-c_|-d": {"result": true}`, "", ""},
		"by itself":        {entry("web", lacks+"a.conf", 1) + ", " + entry("conf", "no source", 2) + ", " + entry("more", "later", 3), "conf", "no source"},
		"by number":        {entry("second", "later", 7) + ", " + entry("first", "broke", 2), "first", "broke"},
		"all lack":         {entry("web", lacks+"a.db", 4) + ", " + entry("db", lacks+"a.disk", 3), "db", lacks + "a.disk"},
		"an odd one":       {entry("web", lacks+"a.db", 4) + `, "x_|-y_|-z_|-f": ["no state"]`, "y", `Salt returned ["no state"] in place of a state.`},
		"lines in lines":   {entryAs("a", `[[["one"], "two"]]`, 1), "a", "one\ntwo"},
		"lacks and is odd": {entryAs("a", `["`+lacks+`b.c", "two"]`, 1) + ", " + entry("z", "broke", 2), "z", "broke"},
	} {
		s := highstate.Root(highstate.Parse(json.RawMessage(`{"ret": {` + tt.states + `}, "retcode": 2}`)).States)
		if (s == nil) != (tt.id == "") || s != nil && (s.ID != tt.id || s.Comment != tt.comment) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func entry(id, comment string, n int) string {
	quoted, _ := json.Marshal(comment)
	return entryAs(id, string(quoted), n)
}

func entryAs(id, comment string, n int) string {
	return fmt.Sprintf(`"service_|-%s_|-%[1]s_|-running": {"result": false, "comment": %s, "__run_num__": %d}`, id, comment, n)
}

package highstate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// TestRoot: of a result that is read and of one that is summarized, the root is
// the same, also where its texts are large.
func TestRoot(t *testing.T) {
	t.Parallel()
	const lacks = "One or more requisite failed: "
	long, escaped := strings.Repeat("x", 1<<20), strings.Repeat(`\u00e4\\`, 1000)
	for name, tt := range map[string]struct{ states, id, comment string }{
		"none":             {`"a_|-b_|-c_|-d": {"result": true}`, "", ""},
		"by itself":        {entry("web", lacks+"a.conf", 1) + ", " + entry("conf", "no source", 2) + ", " + entry("more", "later", 3), "conf", "no source"},
		"by number":        {entry("second", "later", 7) + ", " + entry("first", "broke", 2), "first", "broke"},
		"all lack":         {entry("web", lacks+"a.db", 4) + ", " + entry("db", lacks+"a.disk", 3), "db", lacks + "a.disk"},
		"an odd one":       {entry("web", lacks+"a.db", 4) + `, "x_|-y_|-z_|-f": ["no state"]`, "y", `Salt returned ["no state"] in place of a state.`},
		"a long comment":   {entry("a", long, 1), "a", long},
		"escapes":          {entryAs("a", `"`+escaped+`"`, 1), "a", "ä\\ä\\"},
		"lines":            {entryAs("a", `["one", "`+long+`"]`, 1), "a", "one"},
		"lines in lines":   {entryAs("a", `[[ ["one"], "`+long+`"]]`, 1), "a", "one"},
		"lacks and is odd": {entryAs("a", `["`+lacks+`b.c", "`+long+`"]`, 1) + ", " + entry("z", "broke", 2), "z", "broke"},
		"a long ID":        {entry(long, "broke", 1), long, "broke"},
	} {
		raw := json.RawMessage(`{"ret": {` + tt.states + `}, "retcode": 2}`)
		for of, s := range map[string]*highstate.State{"read": highstate.Root(highstate.Parse(raw).States), "summarized": highstate.Summarize(raw).Root} {
			switch {
			case s == nil && tt.id == "":
			case s == nil:
				t.Errorf("%s, %s: none", name, of)
			case !strings.HasPrefix(s.ID, tt.id[:min(len(tt.id), 1000)]) || !strings.HasPrefix(s.Comment, tt.comment[:min(len(tt.comment), 1000)]):
				t.Errorf("%s, %s: %.100q says %.100q", name, of, s.ID, s.Comment)
			case of == "summarized" && len(s.ID)+len(s.Comment) > 4<<10:
				t.Errorf("%s: it has %d and %d bytes", name, len(s.ID), len(s.Comment))
			}
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

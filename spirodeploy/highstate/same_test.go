package highstate_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// same fails unless Parse reads a result as a simple parser does.
func same(t *testing.T, raw []byte) {
	t.Helper()
	before := bytes.Clone(raw)
	got, want := highstate.Parse(raw), parseSlowly(raw)
	if !bytes.Equal(raw, before) {
		t.Errorf("%.1000q became %.1000q", before, raw)
	}
	if !reflect.DeepEqual(got.WithoutSLS(), want) {
		t.Errorf("%.1000q:\n got %.1000q\nwant %.1000q", before, show(got), show(want))
	}
	brief := highstate.ParseBrief(raw)
	made, all := got.Brief(), show(got)
	sameBrief(t, brief, made, want)
	for _, s := range made.States {
		for i := range s.Warnings {
			s.Warnings[i] = "changed"
		}
	}
	if made.Short && show(got) != all {
		t.Errorf("%.1000q: a short result shares warnings with the whole one", before)
	}
	shown := show(brief.Result)
	names := slices.Clone(got.SLS())
	for i, name := range names {
		names[i] = strings.Clone(name)
	}
	clear(raw) // the id of the job and the names of SLS must not share its memory
	if got.JID != want.JID || !slices.Equal(got.SLS(), names) {
		t.Errorf("%.1000q: job %q, SLS %q", before, got.JID, got.SLS())
	}
	if brief.Short && show(brief.Result) != shown {
		t.Errorf("%.1000q: brief %.1000q became %.1000q", before, shown, show(brief.Result))
	}
}

// sameBrief fails unless brief results, read in two ways, have the telling states of a result
// if these are few, and all states otherwise.
func sameBrief(t *testing.T, parsed, made highstate.Brief, of highstate.Result) {
	t.Helper()
	want := of
	telling := slices.DeleteFunc(slices.Clone(of.States), func(s highstate.State) bool { return !s.Telling() })
	few := len(of.States) > 0 && 4*len(telling) <= len(of.States)
	if few {
		want.States = telling
	}
	for how, brief := range map[string]highstate.Brief{"parsed": parsed, "made": made} {
		if brief.Short != few || brief.All != of.Counts() || show(brief.Result) != show(want) {
			t.Errorf("%s: %t, %+v, %.1000q\nwant %t, %+v, %.1000q", how, brief.Short, brief.All, show(brief.Result), few, of.Counts(), show(want))
		}
	}
	if !reflect.DeepEqual(parsed, made) {
		t.Errorf("parsed %+v\n  made %+v", parsed, made)
	}
}

func show(r highstate.Result) string { b, _ := json.Marshal(r); return string(b) }

var odd = []string{
	`{"ret": {"a_|-b_|-c_|-d": {"result": true, "duration": "1e400 ms"}}, "retcode": 0}`, `{"failed": {"a": 1}, "retcode": "7 ms", "jid": [1, {"a": "b"}]}`,
	`{"ret": ["x\n\n", {"a": 1}, ["y", "z"], 1e400], "retcode": 1}`, `{"ret": "x", "ret": {"a": {"result": true}}}`, `{"ret": {"a": {"result": true}}, "ret": ["x"]}`,
	`{"ret": {"a": {"result": true, "result": false, "__run_num__": 3, "__run_num__": "x"}, "b": {"__run_num__": -1, "result":null}, "__extend__": [], "__extend__": {}}}`,
	`{"ret": {"a": {"in": {"result": false}}, "b": {"in": {"in": {}}}, "c": {"in": 1}, "d": null, "e": {"changes": "", "result": [true]}}}`,
	`{"ret": {"\u0061_|-\ud83d\ude00_|-\n_|-\ud83d": {"re\u0073ult": false, "comment": "\u00e4\t\/\"\\", "name": 12, "__id__": {"b": 1, "a": "\u003c"}, "warnings": ["a", 1, null]}}}`,
	"{\"ret\": {\"\xff_|-a_|-\xfe_|-b\": {\"result\": true, \"comment\": \"\xc3\x28\", \"changes\": {\"\xff\": \"\xff\"}}}}",
	`{"ret": {"a": {"result": true}}, "retcode": 0`, `{"ret": {"a": {"result": true}}, "retcode": 0}}`, `{"ret": {"a": {"result": tru}}}`, `{"ret": {"a": {"result": true,}}}`, `{"ret": {"a" {"result": true}}}`,
	" {\t\"ret\" :\n{ \"a\" : { \"result\" : true , \"changes\" : { } } } , \"retcode\" : 0 }\r\n", `{"failed": "", "ret": 0}`, `{"failed": 0.0, "ret": -1}`, `{"failed": []}`, `[]`, `"x"`, `{`, ``, `null`, `{"ret":[]}`, `{"retcode": [{}], "ret": {}}`, `{"retcode": 0.5}`, `{"retcode": "x"}`, `{"retcode": true}`, `{"retcode": 1e20}`, `{"retcode": "0"}`, `{"ret": {"a": {"result": true}}, "ret": []}`,
	`{"ret": {"a": {"comment": [0, -0, 12, -7, 999999999999999, 1234567890123456789, 1.0, 1e2, true, false, {}, { }, [], null]}}}`,
	`{"ret": {"b_|-c_|-d_|-e": {"result": false, "comment": "One or more requisite failed: a.b", "__run_num__": 1}, "a_|-b_|-c_|-d": {"result": false, "comment": ["b", "a"], "changes": {"stderr": "x"}, "__id__": "b", "__run_num__": 3}, "x": 1}}`,
	`{"ret": {"x": 1, "a_|-b_|-c_|-d": {"result": false, "comment": "first", "__run_num__": 9}, "a_|-e_|-f_|-d": {"result": false, "comment": "now", "__run_num__": 2}}, "ret": {"a_|-b_|-c_|-d": {"result": false, "comment": "\u004fne or more requisite failed: x"}}}`,
	`{"ret": {"_|-_|-": {}, "a_|-": {}, "a_|-b": {}, "a_|-b_|-c": {}, "_|-_|-_|-": {"__id__": ""}, "a_|-b_|-b_|-c_|-d": {"__id__": "b_|-b"}}}`,
}

func TestSame(t *testing.T) {
	t.Parallel()
	nested := func(levels int) string {
		return `{"ret": {"a": {"result": true, "changes": ` + strings.Repeat("[", levels) + strings.Repeat("]", levels) + `}}}`
	}
	many := func(n int) string {
		return `{"ret": {` + strings.Repeat(`"a": {"result": true}, `, n) + `"__extend__": []}}`
	}
	inputs := []string{
		nested(97), nested(98), nested(97)[1:], nested(98) + "x", many(100_000), many(100_001), many(100_001) + "}", string(large(350)),
		`{"ret": {"a": {"warnings": [` + strings.Repeat(`"", `, 10_000) + `""]}}}`, `{"ret": {"a": {"comment": [` + strings.Repeat("0, ", 40_000) + `{}]}}}`,
		`{"ret": {"a": {"comment": {"a": "` + strings.Repeat("x", 70_000) + `"}}}}`, `{"ret": ` + strings.Repeat("1", 1000) + `}`, `{"jid": "` + strings.Repeat("ä", 200) + `"}`, strings.Repeat("ä", 300),
	}
	for _, raw := range append(inputs, odd...) {
		same(t, []byte(raw))
	}
}

// FuzzSame: Parse reads any input as a simple parser does.
func FuzzSame(f *testing.F) {
	for _, name := range streams.All {
		for event := range client.ReadEvents(bytes.NewReader(streams.Read(name))) {
			if event.Result != nil {
				f.Add([]byte(event.Result))
				f.Add([]byte(event.Result[:len(event.Result)/2]))
			}
		}
	}
	for _, raw := range odd {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { same(t, bytes.Clone(raw)) })
}

package rawjson_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

func TestDepth(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		`1`: 0, `"[[["`: 0, `[]`: 1, `{"a": [1, {}], "b": "\"[[[["}`: 3, `[[[`: 3, ``: 0, `"`: 0, `]`: 0, `"\`: 0,
	} {
		if got := rawjson.Depth(in); got != want {
			t.Errorf("Depth(%s) = %d, want %d", in, got, want)
		}
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		`[]`: true, ` [ ] `: true, `{ }`: true, `""`: true, `" "`: false, `[0]`: false, `{"":0}`: false, `0`: false, `null`: false, ``: false, `"`: false,
	} {
		if got := rawjson.Empty(in); got != want {
			t.Errorf("Empty(%s) = %v, want %v", in, got, want)
		}
	}
}

// FuzzRead checks that the functions read the same as package json.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, ` { "a" : 1 , "b\"" : [ ] , "a" : "x,}]" } `, `[1,-2.5e3 ,"]", [[]], {"a":{}}, null ]`, `"text"`, `{"\u0041":true}`, `[`, `{"`, "{\"a\"", `{"a":`, `[1,`, `[,`, `{"":0}`, `{"":[],"":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		members, elements := map[string]string{}, []string{}
		for name, value := range rawjson.Members(string(raw)) {
			members[name] = value
		}
		for value := range rawjson.Elements(string(raw)) {
			elements = append(elements, value)
		}
		depth, empty := rawjson.Depth(string(raw)), rawjson.Empty(string(raw))
		if !json.Valid(raw) {
			return // it is enough that the functions returned
		}
		var wantMembers map[string]json.RawMessage
		var wantElements []json.RawMessage
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return // a number that is too large
		}
		_ = json.Unmarshal(raw, &wantMembers)
		_ = json.Unmarshal(raw, &wantElements)
		same := maps.EqualFunc(members, wantMembers, func(a string, b json.RawMessage) bool { return a == string(b) })
		if !same || strings.Join(elements, ",") != string(bytes.Join(rawBytes(wantElements), []byte(","))) {
			t.Errorf("%q: members %q, elements %q", raw, members, elements)
		}
		if want := depthOf(raw); depth != want {
			t.Errorf("%q: depth %d, want %d", raw, depth, want)
		}
		if text, _ := json.Marshal(value); empty != slices.Contains([]string{"[]", "{}", `""`}, string(text)) {
			t.Errorf("%q: empty %v", raw, empty)
		}
	})
}

func rawBytes(list []json.RawMessage) (all [][]byte) {
	for _, raw := range list {
		all = append(all, raw)
	}
	return all
}

// depthOf counts the delimiters that package json finds. Decoding would lose duplicate
// members.
func depthOf(raw []byte) int {
	depth, most := 0, 0
	for dec := json.NewDecoder(bytes.NewReader(raw)); ; {
		token, err := dec.Token()
		if err != nil {
			return most
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
			most = max(most, depth)
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
}

// FuzzCompact checks that Compact does the same as package json.
func FuzzCompact(f *testing.F) {
	for _, seed := range []string{`{}`, ` {"a b": [ 1, "c \\" d" ] } `, `1`, "[\n]\t", `"a b"`, ` 1`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var want bytes.Buffer
		if json.Compact(&want, []byte(in)) != nil {
			return
		}
		if got := rawjson.Compact(in); got != want.String() {
			t.Errorf("%q became %q, want %q", in, got, want.String())
		}
	})
}

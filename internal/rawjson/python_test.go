package rawjson_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// TestPython reads numbers that Python's json.dumps writes and JSON lacks.
func TestPython(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`NaN`: `"NaN"`, `[NaN,-Infinity , Infinity]`: `["NaN","-Infinity" , "Infinity"]`, `{"NaN": NaN, "-Infinity": "Infinity"}`: `{"NaN": "NaN", "-Infinity": "Infinity"}`,
		`"a\"NaN"`: `"a\"NaN"`, `[1, -2]`: `[1, -2]`, `{"a": {"b": [NaN]}}`: `{"a": {"b": ["NaN"]}}`,
		`nan`: "", `-NaN`: "", `+Infinity`: "", `NaNN`: "", `[NaN 1]`: "", `{NaN: 1}`: "", `N`: "", `-I`: "",
	} {
		c, strict := rawjson.NewPython(in, 100), rawjson.NewCursor(in, 100)
		c.Value()
		strict.Value()
		if c.End() != (want != "") || strict.End() != json.Valid([]byte(in)) {
			t.Errorf("%s: %v, strictly %v", in, c.End(), strict.End())
			continue
		}
		if want == "" {
			continue
		}
		if got := rawjson.Finite(in); got != want || !json.Valid([]byte(got)) || c.NonFinite() != (got != in) {
			t.Errorf("%s became %s, want %s; non-finite %v", in, got, want, c.NonFinite())
		}
	}
}

// TestFiniteAllocations checks that Finite reads a text once and makes its result in one
// piece: a regular expression, which is much slower, would allocate for each match.
func TestFiniteAllocations(t *testing.T) {
	const numbers = 1000
	text := "[" + strings.Repeat(`"text", NaN, `, numbers) + "-Infinity]"
	if n := testing.AllocsPerRun(1, func() { rawjson.Finite(text) }); n > numbers/10 {
		t.Errorf("%v allocations for %d numbers", n, numbers)
	}
}

// FuzzPython checks that Finite makes JSON of what a cursor for Python accepts, and does not
// change JSON.
func FuzzPython(f *testing.F) {
	for _, seed := range []string{`[NaN]`, `{"a": -Infinity, "NaN": "\"NaN"}`, `[1, Infinity]`, `"`, `-I`, `{"Infinity"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		c := rawjson.NewPython(in, 10_000)
		c.Value()
		if !c.End() {
			if json.Valid([]byte(in)) && rawjson.Depth(in) < 10_000 {
				t.Errorf("%q is JSON, and was not taken", in)
			}
			return
		}
		got := rawjson.Finite(in)
		if !json.Valid([]byte(got)) || !c.NonFinite() && got != in {
			t.Errorf("%q became %q", in, got)
		}
	})
}

// TestName checks that different names stay different.
func TestName(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, quoted := range []string{
		`"a"`, `"a\udcff"`, `"a\udcfe"`, "\"a\xff\"", "\"a\xfe\"", `"a\ufffd"`, `"a\ud800"`, `"a\ud83d\ude00"`, `"a\ude00\ud83d"`, `"a\n"`, `"aä"`, `"a\\udcff"`, `"a\\xff"`, `"a\\ud800"`, `"a\u005c\u005cudcff"`,
	} {
		name := rawjson.Name(quoted)
		if other, ok := seen[name]; ok {
			t.Errorf("%s and %s are both %q", quoted, other, name)
		}
		seen[name] = quoted
		if strings.ToValidUTF8(name, "") != name {
			t.Errorf("%s is %q", quoted, name)
		}
	}
	for quoted, want := range map[string]string{`"\u0061\ud83d\ude00\/"`: "a😀/", `"web1"`: "web1", `"a\\b\u005cc"`: `a\\b\\c`, `"x\uDCFFy"`: `x\udcffy`, "\"x\xffy\"": `x\xffy`} {
		if got := rawjson.Name(quoted); got != want {
			t.Errorf("%s is %q, want %q", quoted, got, want)
		}
	}
}

// FuzzName checks that Name does the same as Text for valid strings.
func FuzzName(f *testing.F) {
	f.Add(`"a\udcff"`)
	f.Add("\"\\ud83d\\ude00\xff\"")
	odd := regexp.MustCompile(`(?i)\\ud[89a-f]|\\ufffd`)
	f.Fuzz(func(t *testing.T, quoted string) {
		var s string
		if json.Unmarshal([]byte(quoted), &s) != nil || !strings.HasPrefix(quoted, `"`) || !strings.HasSuffix(quoted, `"`) {
			return
		}
		name := rawjson.Name(quoted)
		if strings.ToValidUTF8(quoted, "") == quoted && !odd.MatchString(quoted) && name != strings.ReplaceAll(s, `\`, `\\`) {
			t.Errorf("%q is %q, want %q", quoted, name, s)
		}
	})
}

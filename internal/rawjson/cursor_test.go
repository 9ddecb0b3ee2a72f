package rawjson_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// read reads a value member by member, and writes it again without white space and with
// its names decoded.
func read(c *rawjson.Cursor, b *strings.Builder) {
	switch c.First() {
	case '{':
		comma := "{"
		for more := c.Object(); more; more = c.More('}') {
			name, _ := json.Marshal(c.Name())
			b.WriteString(comma + string(name) + ":")
			read(c, b)
			comma = ","
		}
		b.WriteString(strings.TrimPrefix(comma, ",") + "}")
	case '[':
		comma := "["
		for more := c.Array(); more; more = c.More(']') {
			b.WriteString(comma)
			read(c, b)
			comma = ","
		}
		b.WriteString(strings.TrimPrefix(comma, ",") + "]")
	default:
		b.WriteString(c.Value())
	}
}

func TestCursorDepth(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		`{"a":[[1]]}`: true, `{"a":[[]]}`: true, `{"a":[{}],"b":[[]]}`: true, `[[[[1]]]]`: false, `[[[{}]]]`: false, `[[[]],[[]],1]`: true,
	} {
		skipped, walked := rawjson.NewCursor(in, 3), rawjson.NewCursor(in, 3)
		skipped.Value()
		read(walked, new(strings.Builder))
		if skipped.End() != want || walked.End() != want || want != (rawjson.Depth(in) <= 3) {
			t.Errorf("%s: %v and %v, want %v", in, skipped.End(), walked.End(), want)
		}
	}
}

// FuzzCursor checks that a cursor accepts the same texts as package json, whether it enters
// values or skips them, and decodes strings alike.
func FuzzCursor(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` [ ] `, `{"a":[1,-0.5e+3,0,true,false,null,"x\u00e4\n"],"\u0041\"":{"":""}}`, `[1,]`, `{"a":1,}`, `{"a" 1}`, `{1:1}`, `[01]`, `[1.]`, `[-]`, `[1e]`, `[.5]`,
		`tru`, `nulls`, `"\x"`, `"\u12g4"`, `"\ud83d\ude00 \ud83d x \ude00\ud83d\u0041"`, "\"\x01\"", "\"\x7f\xff\u2028\"", `"`, `"\`, `[}`, `{]`, `[1}`, `1 2`, ``, "\x00", "[1]\x00",
		`"long enough for several words at once, and then \" some more of that"`, "\"1234567\n\"", `"12345678"`, `"1234567\`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		valid := json.Valid([]byte(in))
		skipped, walked := rawjson.NewCursor(in, 10_000), rawjson.NewCursor(in, 10_000)
		value := skipped.Value()
		var b strings.Builder
		read(walked, &b)
		if skipped.End() != valid || walked.End() != valid {
			t.Fatalf("%q: %v and %v, want %v", in, skipped.End(), walked.End(), valid)
		}
		if !valid {
			return
		}
		if value != strings.Trim(in, " \n\t\r") {
			t.Errorf("%q: the value is %q", in, value)
		}
		var got, want any
		err := json.Unmarshal([]byte(in), &want)
		if err != nil {
			return // a number that is too large
		}
		if err := json.Unmarshal([]byte(b.String()), &got); err != nil {
			t.Fatalf("%q: read as %q: %v", in, b.String(), err)
		}
		if g, w := text(t, got), text(t, want); g != w {
			t.Errorf("%q: read as %s, want %s", in, g, w)
		}
		if said, ok := want.(string); ok && rawjson.Text(value) != said {
			t.Errorf("%q: it says %q, want %q", in, rawjson.Text(value), said)
		}
	})
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func BenchmarkCursor(b *testing.B) {
	text := "[" + strings.Repeat(`{"changes": {}, "comment": "File /etc/app/conf.d/app.conf is in the correct state", "name": "/etc/app/conf.d/app.conf", "result": true, "__run_num__": 12, "duration": 12.088},`, 5000) + "0]"
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		c := rawjson.NewCursor(text, 100)
		if c.Value(); !c.End() {
			b.Fatal("it is not JSON")
		}
	}
}

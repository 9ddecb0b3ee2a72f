package token_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// TestRedactKeepsEscapes: an escape is redacted whole or not at all.
func TestRedactKeepsEscapes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ secret, in, want string }{
		{"nabcdefghij", `line\nabcdefghij`, `line[redacted]`},
		{"nabcdefghij", `line\\nabcdefghij`, `line\\[redacted]`},
		{"abcdefghij0041", `x\u0041abcdefghij0041\n`, `x\u0041[redacted]\n`},
		{"0041abcdefghij", `x\u0041abcdefghij`, `x[redacted]`},
		{"lt;abcdefghij", `x&lt;abcdefghij`, `x[redacted]`},
		{"34;abcdefghij", `x&#34;abcdefghij`, `x[redacted]`},
		{"abcdefghij&", `abcdefghij&lt;x`, `[redacted]x`},
		{`abcdefghij\`, `abcdefghij\nx`, `[redacted]x`},
		{"abcdefghij", `a & abcdefghij; b`, `a & [redacted]; b`},
	} {
		if got := parse(t, tt.secret).Redact(tt.in); got != tt.want {
			t.Errorf("Redact(%s) of %s is %s, want %s", tt.in, tt.secret, got, tt.want)
		}
	}
}

func TestRedactJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ secret, in, want string }{
		{"nabcdefghij", `{"msg": "a\nabcdefghij", "n": 1}`, `{"msg":"a[redacted]","n":1}`},
		{"abcdefghij", `{"abcdefghij": ["x \u0061bcdefghij y", "\/abcdefghij"]}`, `{"[redacted]":["x [redacted] y","/[redacted]"]}`},
		{"12345678", `{"duration": 12345678.5, "other": 1234567}`, `{"duration":"[redacted]","other":1234567}`},
		{`"a":"b","c"`, `{"a":"b","c":1}`, `{"a":"b","c":1}`},
		{`"abcdefg`, `["abcdefg"]`, `["[redacted]"]`},
		{`abc"def\ghijk`, `["abc\"def\\ghijk", "abc\u0022def\u005cghijk"]`, `["[redacted]","[redacted]"]`},
		{"abcdefghij", `{"x": NaN, "y": [-Infinity, "abcdefghij"]}`, `{"x":NaN,"y":[-Infinity,"[redacted]"]}`},
		{"abcdefghij", `{"x":  1}`, `{"x":  1}`},
	} {
		tok := parse(t, tt.secret)
		got := tok.RedactJSON(tt.in)
		if got != tt.in {
			if tok.Redact(got) != got {
				t.Errorf("%s still has the token in it", got)
			}
			got = strings.NewReplacer(" : ", ":", " , ", ",", "{ ", "{", " }", "}", "[ ", "[", " ]", "]").Replace(strings.Join(strings.Fields(got), " "))
			got = strings.ReplaceAll(strings.ReplaceAll(got, ", ", ","), ": ", ":")
			got = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(got, "[ ", "["), " ]", "]"))
		}
		if got != tt.want {
			t.Errorf("%s without %s is %s, want %s", tt.in, tt.secret, got, tt.want)
		}
	}
}

// FuzzRedactJSON: what was JSON stays JSON of the same structure, and nothing of the
// token is left in it, as it is written and as it is read.
func FuzzRedactJSON(f *testing.F) {
	const secret = "MDAxY2xvY2F0aW9uIGh0dHBzOi8vdG9rZW4"
	f.Add(secret, `{"msg": "\n`+secret+`", "result": {"ret": ["`+secret[3:20]+`\n"]}}`)
	f.Add("nabcdefghij", `{"msg": "\nabcdefghij"}`)
	f.Add("12345678", `[12345678, 1.2345678e12345678]`)
	f.Add(`"a":"b","c"`, `{"a":"b","c":1}`)
	f.Add(`["a","b","c"]`, `[["a","b","c"], "[\"a\",\"b\",\"c\"]"]`)
	f.Add(`\\\\\\\\n`, `["\\\\\\\\\\\\\\\\n"]`)
	f.Add("u0041u0042u0043", `["\u0041\u0042\u0043", "u0041u0042u0043", "\\u0041u0042u0043"]`)
	f.Add("&amp;&lt;&gt;abc", `["&amp;&lt;&gt;abc&quot;"]`)
	f.Fuzz(func(t *testing.T, secret, text string) {
		tok, err := token.Parse(secret)
		if err != nil || len(secret) > 1000 || strings.Contains(text, "[redacted]") || strings.Contains(strings.ToLower("[redacted] redacted"), strings.ToLower(secret)) {
			return
		}
		secret = tok.Reveal()
		got := tok.RedactJSON(text)
		if !json.Valid([]byte(text)) {
			return
		}
		if !json.Valid([]byte(got)) {
			t.Fatalf("%q without %q is no JSON: %q", text, secret, got)
		}
		if repeats(secret) || len(secret) < 8 {
			return
		}
		if tok.Redact(got) != got {
			t.Errorf("%q without %q still has some of it: %q", text, secret, got)
		}
		var before, after any
		if json.Unmarshal([]byte(text), &before) != nil || json.Unmarshal([]byte(got), &after) != nil {
			return // a number that is too large
		}
		same(t, secret, before, after)
	})
}

// same compares values but for texts, which must not have the token in them.
func same(t *testing.T, secret string, before, after any) {
	t.Helper()
	switch after := after.(type) {
	case []any:
		list, ok := before.([]any)
		if !ok || len(list) != len(after) {
			t.Fatalf("%v became %v", before, after)
		}
		for i := range list {
			same(t, secret, list[i], after[i])
		}
	case map[string]any:
		object, ok := before.(map[string]any)
		if !ok || len(object) < len(after) { // two names may have become one
			t.Fatalf("%v became %v", before, after)
		}
		for name, value := range after {
			if old, ok := object[name]; ok && len(object) == len(after) {
				same(t, secret, old, value)
			}
		}
	case string:
		if strings.Contains(strings.ToLower(after), strings.ToLower(secret)) && !strings.Contains(after, "[redacted]") {
			t.Errorf("%q still has %q in it", after, secret)
		}
	default:
		if fmt.Sprint(before) != fmt.Sprint(after) {
			t.Errorf("%v became %v", before, after)
		}
	}
}

// TestJSONWriter: what is written in parts is redacted as if it came at once, also
// where a text is longer than what is held back.
func TestJSONWriter(t *testing.T) {
	t.Parallel()
	const long = 1 << 20
	for _, secret := range []string{"nabcdefghij", "12345678"} {
		known := token.Know(secret)
		doc := `{"a": "` + strings.Repeat("x", long) + `\n` + secret + strings.Repeat(`\n`, long) + `", "n": ` + "12345678" + `, "b": "` + strings.Repeat(`\\`, long) + `"}` + "\n" + `{"c": "` + secret + `"}` + "\n"
		for _, size := range []int{1000, 4096, 65521, 1 << 19, len(doc)} {
			var out strings.Builder
			w := known.JSONWriter(&out)
			for rest := doc; rest != ""; {
				n := min(size, len(rest))
				if _, err := w.Write([]byte(rest[:n])); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(out.String(), secret) {
				t.Errorf("in parts of %d, %s is left", size, secret)
			}
			for line := range strings.Lines(out.String()) {
				if !json.Valid([]byte(line)) {
					t.Errorf("in parts of %d, without %s, a line is no JSON: %.100s … %s", size, secret, line, line[max(0, len(line)-100):])
				}
			}
		}
	}
}

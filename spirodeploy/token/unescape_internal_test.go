package token

import (
	"encoding/json"
	"testing"
)

func TestUnescape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"plain"`: `"plain"`, `"\u0041\/\u007a"`: `"A/z"`, `"\\u0041"`: `"\\u0041"`, `"\u0022\u005c\u001b\u00e4\n"`: `"\"\\\u001b\u00e4\n"`,
		`\u00`: `\u00`, `\u00zz`: `\u00zz`, `\u0041\`: `A\`, `\`: `\`,
	} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%s) = %s, want %s", in, got, want)
		}
	}
}

// FuzzUnescape: a string says the same as before, and what a token may have in
// it is written as it is.
func FuzzUnescape(f *testing.F) {
	for _, seed := range []string{`"\u0041\/\u007a"`, `"\\u0041"`, `"\u0022\u005c\u001b\u00e4\n"`, `"\ud83d\u0041\\\/"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, quoted string) {
		var want, got string
		if json.Unmarshal([]byte(quoted), &want) != nil {
			unescape(quoted) // it ends
			return
		}
		written := unescape(quoted)
		if err := json.Unmarshal([]byte(written), &got); err != nil || got != want {
			t.Errorf("%q became %q, %v", quoted, written, err)
		}
		if again := unescape(written); again != written {
			t.Errorf("%q became %q, and then %q", quoted, written, again)
		}
	})
}

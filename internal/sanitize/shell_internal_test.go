package sanitize

import "testing"

func TestShell(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]struct{ posix, windows string }{
		"a/b-1.tar":  {"a/b-1.tar", "a/b-1.tar"},
		"":           {"''", `""`},
		"a b":        {"'a b'", `"a b"`},
		"it's":       {`'it'\''s'`, "it's"},
		"$x":         {"'$x'", "$x"},
		"~/x":        {"'~/x'", "~/x"},
		"*":          {"'*'", "*"},
		"a%b":        {"a%b", `"a%b"`},
		"a&b":        {"'a&b'", `"a&b"`},
		`C:\shop\_x`: {`'C:\shop\_x'`, `C:\shop\_x`},
		`C:\a b\`:    {`'C:\a b\'`, `"C:\a b\\"`},
		`/\{a\}`:     {`'/\{a\}'`, `/\{a\}`},
		`a\"b`:       {`'a\"b'`, `"a\\\"b"`},
	} {
		if got := forPOSIX(word); got != want.posix {
			t.Errorf("forPOSIX(%q) = %s, want %s", word, got, want.posix)
		}
		if got := forWindows(word); got != want.windows {
			t.Errorf("forWindows(%q) = %s, want %s", word, got, want.windows)
		}
	}
}

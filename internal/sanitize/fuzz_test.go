package sanitize_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// FuzzText checks that no character that acts on a terminal remains, and that harmless text
// does not change.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "plain\n\t", "\x1b[2J\a\b\r", "\u009b\u0085\x7f\x00", "\u202e\u2066\u061c", "\u2028\u200b\ufeff\u00ad", "\xff\xc0\x80\xed\xa0\x80", "\ufffd", "\U000e0041\U0010ffff", "👨\u200d👩", "[[eeee|", "a\r\nb\r\n", "a\r\r\n\r\n"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, s string, most int) {
		text, line := sanitize.Text(s), sanitize.Line(s)
		for _, out := range []string{text, line} {
			if !utf8.ValidString(out) || strings.ContainsFunc(out, func(r rune) bool { return acts(r) && r != '\n' && r != '\t' }) {
				t.Errorf("%q became %q", s, out)
			}
			if sanitize.Text(out) != out {
				t.Errorf("%q became %q, and then something else", s, out)
			}
		}
		if strings.ContainsAny(line, "\n\t") || strings.Count(text, "\n") != strings.Count(s, "\n") {
			t.Errorf("%q became the line %q, the text %q", s, line, text)
		}
		if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) && line != s && sanitize.Defuse(s) == s { // no command, which would be broken up
			t.Errorf("%q became %q", s, line)
		}
		most = max(0, min(most, len(s)))
		if head, _, cut := strings.Cut(sanitize.Clip(s, most), "… ("); cut && !strings.HasPrefix(s, head) || len(head) > len(s) {
			t.Errorf("%q was clipped to %q", s, head)
		}
	})
}

// acts reports whether a character acts on a terminal.
func acts(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}

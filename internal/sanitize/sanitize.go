// Package sanitize makes text from elsewhere harmless to show: a message of a
// server or a file name must not move the cursor, colour the screen, turn the
// reading direction of what a person relies on, or be a command to whatever reads
// a log or a report.
package sanitize

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/human"
)

// Text returns s with control characters (but for newline and tab), line
// separators, the characters that control reading direction or cannot be seen,
// and invalid UTF-8 replaced by what stands for them in a Go string: \x1b,
// \u202e, \xff. What [Defuse] takes for a command is broken up.
func Text(s string) string { return escape(s, "\n\t") }

// Line is Text for what must stay on one line: newline and tab are replaced too.
func Line(s string) string { return escape(s, "") }

// Clip returns no more than the first bytes of s, and how many were left out; no
// character is cut in two.
func Clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "… (" + human.Thousands(len(s)-most) + " more bytes)"
}

func escape(s, keep string) string { return Defuse(control(s, keep)) }

// control replaces characters that act instead of being seen.
func control(s, keep string) string {
	harmless := func(r rune) bool {
		return r != utf8.RuneError && !isControl(r) || strings.ContainsRune(keep, r)
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return !harmless(r) }) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(newline(keep))
		case harmless(r) || r == utf8.RuneError:
			b.WriteString(s[i : i+size])
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

func newline(keep string) string {
	if strings.Contains(keep, "\n") {
		return "\n"
	}
	return `\n`
}

// Harmless reports whether a character does no more than to be seen.
func Harmless(r rune) bool { return !isControl(r) }

// isControl reports whether a character acts instead of being seen: controls,
// those that end a line or turn the reading direction, and those that cannot be
// seen at all, with which one name can pass for another. Joiners stay, as
// writing needs them; so do signs that only count as format characters.
func isControl(r rune) bool {
	const nonJoiner, joiner, del = '\u200c', '\u200d', '\u007f'
	switch {
	case r < del: // most text is
		return r < ' '
	case r == nonJoiner, r == joiner:
		return false
	case unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp):
		return true
	}
	return unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// Package plain makes text from elsewhere harmless to show: a message of a
// server or a file name must not move the cursor, colour the screen, or turn
// the reading direction of what a person relies on.
package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s with control characters (but for newline and tab), the
// characters that control reading direction, and invalid UTF-8 replaced by
// what stands for them in a Go string: \x1b, \u202e, \xff.
func Text(s string) string { return escape(s, "\n\t") }

// Line is Text for what must stay on one line: newline and tab are replaced too.
func Line(s string) string { return escape(s, "") }

// Count returns a number with its noun: "1 entry", "2 entries".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func escape(s, keep string) string {
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
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
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

// isControl reports whether a character acts instead of being seen. Of the
// format characters, only those of UAX #9 (bidirectional text) do harm.
func isControl(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
}

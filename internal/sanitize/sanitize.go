// Package sanitize makes text from elsewhere harmless to show. A server's message or a
// file name must not move the cursor, colour the screen, change the reading direction, or
// be a command to a reader of logs or reports.
package sanitize

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/human"
)

// Text replaces unsafe characters by their escapes in a Go string: \x1b, \u202e, \xff.
// Unsafe are control characters except newline and tab, line separators, invisible
// characters and those that change the reading direction, and invalid UTF-8. Text also
// breaks up commands, like [Defuse]. A text whose lines all end with CR and LF, as on Windows,
// keeps the LF alone.
func Text(s string) string { return Defuse(control(LF(s), "\n\t")) }

// LF returns a text with LF alone at the end of each line, if all its lines end with CR and
// LF. In a text that mixes both, CR may be what matters, as in a diff.
func LF(s string) string {
	if ends := strings.Count(s, "\r\n"); ends == 0 || ends != strings.Count(s, "\n") {
		return s
	}
	return strings.TrimSuffix(strings.ReplaceAll(s, "\r\n", "\n"), "\r")
}

// Line does the same as [Text], and replaces newline and tab, too.
func Line(s string) string { return Defuse(control(s, "")) }

// Clip cuts s after at most that many bytes, between two characters, and says how many
// bytes are left out.
func Clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "… (" + human.Thousands(len(s)-most) + " more bytes)"
}

// control replaces control characters, except those in keep.
func control(s, keep string) string {
	harmless := func(r rune) bool {
		return r != utf8.RuneError && Harmless(r) || strings.ContainsRune(keep, r)
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
		case harmless(r) || r == utf8.RuneError:
			b.WriteString(s[i : i+size])
		case r == '\n':
			b.WriteString(`\n`)
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

// Harmless reports whether a character only shows itself. Controls do not, nor do
// characters that end a line or change the reading direction, and invisible ones, which
// make names look alike. Joiners are harmless, because scripts need them, and so are the
// visible signs among the format characters.
func Harmless(r rune) bool {
	const nonJoiner, joiner, del = '\u200c', '\u200d', '\u007f'
	switch {
	case r < del: // most text
		return r >= ' '
	case r == nonJoiner, r == joiner:
		return true
	case unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp):
		return false
	}
	return !unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// maxNames is how many names a line has.
const maxNames = 20

// Names returns the first names of a list in one line, and how many more there are.
func Names(names []string) string {
	all := make([]string, 0, maxNames+1)
	for _, name := range names[:min(len(names), maxNames)] {
		all = append(all, Line(name))
	}
	if left := len(names) - len(all); left > 0 {
		all = append(all, "and "+human.Thousands(left)+" more")
	}
	return strings.Join(all, ", ")
}

// BothEnds returns about the first and the last bytes of s, and how many were left out
// between them: the reason of a Python traceback is at its end.
func BothEnds(s string, most int) string {
	if len(s) <= most {
		return s
	}
	half := most / 2
	head, tail := strings.ToValidUTF8(s[:half], ""), strings.ToValidUTF8(s[len(s)-half:], "")
	return head + "\n… (" + human.Thousands(len(s)-2*half) + " more bytes) …\n" + tail
}

package rawjson

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// View returns data as a text without a copy of it, which can be large. Nobody
// may write to data as long as there is the text, or a part of it.
func View(data []byte) string {
	return unsafe.String(unsafe.SliceData(data), len(data)) //nolint:gosec // what it asks of callers is said above
}

// Text returns what a string says, which must be the whole of one, with its
// quotes. Where it has no escape in it and is valid UTF-8, that is a part of it;
// else it is a copy, in which what is not valid is U+FFFD.
func Text(quoted string) string {
	s := quoted[1 : len(quoted)-1]
	if strings.IndexByte(s, '\\') < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for len(s) > 0 {
		n := strings.IndexByte(s, '\\')
		if n < 0 {
			n = len(s)
		}
		if run := s[:n]; utf8.ValidString(run) {
			b.WriteString(run)
		} else {
			for _, r := range run {
				b.WriteRune(r) // U+FFFD for each byte that is none of a character
			}
		}
		if s = s[n:]; s != "" {
			s = s[unescape(&b, s):]
		}
	}
	if b.Len() < b.Cap()/2 {
		return strings.Clone(b.String()) // there may be many like this one
	}
	return b.String()
}

// escapes are those of one letter.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape writes what the escape means that s begins with, and returns its size.
func unescape(b *strings.Builder, s string) int {
	r, long := hex4(s)
	if !long {
		b.WriteByte(escapes[s[1]])
		return len(`\n`)
	}
	if utf16.IsSurrogate(r) {
		if low, ok := hex4(s[len(`\u0000`):]); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				b.WriteRune(both)
				return len(`\u0000\u0000`)
			}
		}
		r = utf8.RuneError
	}
	b.WriteRune(r)
	return len(`\u0000`)
}

package rawjson

import (
	"fmt"
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

// Finite returns JSON that a cursor of [NewPython] has found to be good as JSON: NaN,
// Infinity and -Infinity become the texts "NaN", "Infinity" and "-Infinity".
func Finite(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/2)
	done := 0
	for i := 0; i < len(text); {
		size := 0
		switch text[i] {
		case '"':
			i = EndOfString(text, i)
			continue
		case 'N':
			size = len("NaN")
		case 'I':
			size = len("Infinity")
		case '-':
			if strings.HasPrefix(text[i:], "-I") {
				size = len("-Infinity")
			}
		}
		if size == 0 {
			i++
			continue
		}
		b.WriteString(text[done:i])
		b.WriteString(`"` + text[i:i+size] + `"`)
		i += size
		done = i
	}
	b.WriteString(text[done:])
	return b.String()
}

// Name returns what a string says, as [Text] does, for what must stay apart: what
// Text makes U+FFFD of, bytes that are not valid UTF-8 and lone surrogates (which
// Python writes for such bytes, PEP 383), stays as an escape, \xff or \udcff; and a backslash is two.
func Name(quoted string) string {
	s := quoted[1 : len(quoted)-1]
	if strings.IndexByte(s, '\\') < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case strings.HasPrefix(s[i:], `\\`):
			b.WriteString(`\\`) // so that no name can spell an escape
			size = len(`\\`)
		case s[i] == '\\':
			size = unescapeName(&b, s[i:])
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// unescapeName is unescape, and keeps a lone surrogate.
func unescapeName(b *strings.Builder, s string) int {
	r, long := hex4(s)
	if long && r == '\\' {
		b.WriteString(`\\`)
		return len(`\u0000`)
	}
	if long && utf16.IsSurrogate(r) {
		low, _ := hex4(s[len(`\u0000`):])
		if utf16.DecodeRune(r, low) == utf8.RuneError {
			fmt.Fprintf(b, `\u%04x`, r)
			return len(`\u0000`)
		}
	}
	return unescape(b, s)
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

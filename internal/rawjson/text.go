package rawjson

import (
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// View returns data as a string without copying. Nobody may change data while the string,
// or a part of it, is in use.
func View(data []byte) string {
	return unsafe.String(unsafe.SliceData(data), len(data)) //nolint:gosec // the comment above tells callers the condition
}

// Finite turns a text that a cursor of [NewPython] accepts into JSON. NaN, Infinity and
// -Infinity become the strings "NaN", "Infinity" and "-Infinity".
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

// Name decodes a string like [Text], but different strings stay different. Bytes that are
// not UTF-8, and lone surrogates, which Python writes for such bytes (PEP 383), become
// escapes like \xff and \udcff instead of U+FFFD. A backslash becomes two.
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
			b.WriteString(`\\`) // a name must not look like an escape
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

// unescapeName does the same as unescape, except that a lone surrogate stays an escape.
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

// Text decodes a whole string with its quotes. The result is a part of the string if that
// is valid UTF-8 without escapes. Otherwise it is a copy, with U+FFFD for invalid bytes.
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
				b.WriteRune(r) // U+FFFD for each invalid byte
			}
		}
		if s = s[n:]; s != "" {
			s = s[unescape(&b, s):]
		}
	}
	if b.Len() < b.Cap()/2 {
		return strings.Clone(b.String()) // do not keep the spare room: there may be many such strings
	}
	return b.String()
}

// escapes decode the escapes of one letter.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape decodes the escape at the beginning of s and returns its size.
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

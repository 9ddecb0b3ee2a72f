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

// Text decodes a whole string with its quotes. The result is a part of the string if that
// is valid UTF-8 without escapes. Otherwise it is a copy, with U+FFFD for invalid bytes.
func Text(quoted string) string { return decode(quoted, false) }

// Name decodes a string like [Text], but different strings stay different. Bytes that are
// not UTF-8, and lone surrogates, which Python writes for such bytes (PEP 383), become
// escapes like \xff and \udcff instead of U+FFFD. A backslash becomes two.
func Name(quoted string) string { return decode(quoted, true) }

// decode is [Name] if distinct is true, else [Text].
func decode(quoted string, distinct bool) string {
	s := quoted[1 : len(quoted)-1]
	if strings.IndexByte(s, '\\') < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for len(s) > 0 {
		run, _, _ := strings.Cut(s, `\`)
		if utf8.ValidString(run) {
			b.WriteString(run)
		} else {
			writeInvalid(&b, run, distinct)
		}
		if s = s[len(run):]; s == "" {
			break
		}
		r, size := Escape(s)
		switch {
		case distinct && r == '\\':
			b.WriteString(`\\`) // a name must not look like an escape
		case distinct && utf16.IsSurrogate(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r) // U+FFFD for a lone surrogate
		}
		s = s[max(1, size):]
	}
	if b.Len() < b.Cap()/2 {
		return strings.Clone(b.String()) // do not keep the spare room: there may be many such strings
	}
	return b.String()
}

// writeInvalid writes a text that is not UTF-8.
func writeInvalid(b *strings.Builder, s string, distinct bool) {
	for i, r := range s {
		if distinct && r == utf8.RuneError && !strings.HasPrefix(s[i:], string(r)) {
			fmt.Fprintf(b, `\x%02x`, s[i])
		} else {
			b.WriteRune(r) // U+FFFD for an invalid byte
		}
	}
}

// escapes decode the escapes of one letter.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// Escape decodes the escape that a part of a string begins with, also a lone surrogate. It
// returns the size of the escape, or 0 if that is invalid.
func Escape(s string) (r rune, size int) {
	r, long := hex4(s)
	if utf16.IsSurrogate(r) {
		low, _ := hex4(s[len(`\u0000`):])
		if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
			return both, len(`\u0000\u0000`)
		}
	}
	switch {
	case long:
		return r, len(`\u0000`)
	case len(s) > 1 && escapes[s[1]] != 0:
		return rune(escapes[s[1]]), len(`\n`)
	}
	return 0, 0
}

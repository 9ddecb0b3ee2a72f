package token

import (
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// RedactJSON is [Token.Redact] for JSON, and keeps its structure: it redacts strings and
// names inside their quotes, and a number that holds the token becomes a string. It may
// add white space between values. NaN and Infinity, as Python writes them, count as
// numbers. JSON without the token stays as it is.
func (t Token) RedactJSON(text string) string {
	if !t.findable() {
		return text
	}
	return t.finder().redactJSON(text, false)
}

// RedactJSON is [Token.RedactJSON] for all tokens.
func (k *Known) RedactJSON(text string) string { return k.redactJSON(text, false) }

func (k *Known) redactJSON(text string, inside bool) string {
	if k.find == nil {
		return text
	}
	return k.find().redactJSON(text, inside)
}

// redactJSON is RedactJSON for a part of JSON, which may begin inside a text.
func (f *finder) redactJSON(text string, inside bool) string {
	plain := unescape(text)
	// Most texts have no escape that a token may hide behind, and are looked at once.
	if !f.has(plain) && (len(plain) == len(text) || !f.has(text)) {
		return text
	}
	return f.rewriteJSON(plain, inside)
}

// endsInside reports whether a part of JSON ends inside a text.
func endsInside(part []byte, inside bool) bool {
	for i := 0; i < len(part); i++ {
		switch {
		case part[i] == '"':
			inside = !inside
		case part[i] == '\\' && inside:
			i++
		}
	}
	return inside
}

// has reports whether the token is in s.
func (f *finder) has(s string) bool {
	for range f.find(s) {
		return true
	}
	return false
}

// rewriteJSON goes through the text once. White space around what gives JSON its
// structure keeps a token from being spelled by several values together.
func (f *finder) rewriteJSON(text string, inside bool) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	i := 0
	if inside {
		i = rawjson.EndOfString(text, -1)
		b.WriteString(f.redact(text[:i]))
	}
	for i < len(text) {
		switch text[i] {
		case '"':
			end := rawjson.EndOfString(text, i)
			f.redactText(&b, text[i:end])
			i = end
		case '{', '}', '[', ']', ',', ':':
			b.WriteByte(' ')
			b.WriteByte(text[i])
			b.WriteByte(' ')
			i++
		case ' ', '\t', '\r', '\n':
			b.WriteByte(text[i])
			i++
		default:
			end := i + 1
			for end < len(text) && !strings.ContainsRune("\"{}[],: \t\r\n", rune(text[end])) {
				end++
			}
			if value := text[i:end]; f.has(value) {
				b.WriteString(`"` + redacted + `"`)
			} else {
				b.WriteString(value)
			}
			i = end
		}
	}
	return b.String()
}

// redactText redacts a text with its quotes, which stay.
func (f *finder) redactText(b *strings.Builder, quoted string) {
	last := len(quoted) - 1
	if last < 1 || quoted[last] != '"' { // it has no end
		b.WriteString(f.redact(quoted))
		return
	}
	done := 0
	for from, to := range f.find(quoted) {
		from, to = max(from, 1), min(to, last)
		if from >= to {
			continue
		}
		b.WriteString(quoted[done:from])
		b.WriteString(redacted)
		done = to
	}
	b.WriteString(quoted[done:])
}

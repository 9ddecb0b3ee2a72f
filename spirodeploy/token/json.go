package token

import (
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// RedactJSON is [Token.Redact] for JSON, and keeps its structure: it redacts strings and
// names inside their quotes, and a number that holds the token becomes a string. It may
// add white space between values. NaN and Infinity, as Python writes them, count as
// numbers. JSON without the token stays as it is.
func (t Token) RedactJSON(text string) string { return t.secrets.redactJSON(text, false) }

// RedactJSON is [Token.RedactJSON] for all tokens.
func (k *Known) RedactJSON(text string) string { return k.secrets.redactJSON(text, false) }

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

// redactJSON redacts JSON, or a part of it, which may begin inside a text. White space
// around what gives JSON its structure keeps a token from being spelled by several values
// together.
func (f *finder) redactJSON(text string, inside bool) string {
	plain := unescape(text)
	// Most texts have no escape that a token may hide behind, and are looked at once.
	if !f.has(plain) && (len(plain) == len(text) || !f.has(text)) {
		return text
	}
	var b strings.Builder
	b.Grow(len(plain) + len(plain)/8)
	i := 0
	if inside {
		i = rawjson.EndOfString(plain, -1)
		b.WriteString(f.redact(plain[:i], 0, i))
	}
	for i < len(plain) {
		end := i + 1
		switch c := plain[i]; {
		case c == '"':
			end = rawjson.EndOfString(plain, i)
			b.WriteString(f.redactText(plain[i:end]))
		case strings.IndexByte("{}[],:", c) >= 0:
			b.WriteString(" " + plain[i:end] + " ")
		case c <= ' ':
			b.WriteByte(c)
		default:
			for end < len(plain) && strings.IndexByte("\"{}[],: \t\r\n", plain[end]) < 0 {
				end++
			}
			value := plain[i:end]
			if f.has(value) {
				value = `"` + redacted + `"`
			}
			b.WriteString(value)
		}
		i = end
	}
	return b.String()
}

// redactText redacts a text with its quotes, which stay.
func (f *finder) redactText(quoted string) string {
	if last := len(quoted) - 1; last > 0 && quoted[last] == '"' {
		return f.redact(quoted, 1, last)
	}
	return f.redact(quoted, 0, len(quoted)) // it has no end
}

package token

import "strings"

// RedactJSON does to a text of JSON what [Token.Redact] does, and keeps it JSON of
// the same structure: texts and names are redacted inside their quotes, and a
// number that has the token in it becomes a text. Outside of texts it may add
// white space. NaN and Infinity, as Python writes them, count as numbers. JSON
// in which the token does not occur is returned as it came.
func (t Token) RedactJSON(text string) string {
	if len(t.Reveal()) < minRedact {
		return text
	}
	f := t.finder()
	plain := unescape(text)
	if !f.has(plain) && !f.has(text) {
		return text
	}
	return f.redactJSON(plain)
}

// RedactJSON does what [Token.RedactJSON] does, for all of them.
func (k *Known) RedactJSON(text string) string {
	for _, t := range k.tokens {
		text = t.RedactJSON(text)
	}
	return text
}

// has reports whether the token is in s.
func (f *finder) has(s string) bool {
	for range f.find(s) {
		return true
	}
	return false
}

// redactJSON goes through the text once. White space around what gives JSON its
// structure keeps a token from being spelled by several values together.
func (f *finder) redactJSON(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	for i := 0; i < len(text); {
		switch text[i] {
		case '"':
			end := endOfText(text, i)
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

// endOfText returns where the text ends that begins at i with its quote.
func endOfText(s string, i int) int {
	for i++; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

package token

import (
	"encoding/base64"
	"strings"
)

const (
	// minRedact is the length in bytes from which a token is looked for. What is
	// shorter protects nothing, and would be found in any text.
	minRedact = 8
	// gram is how many bytes of a token are recognised at once.
	gram = 8
	// minPart is the length in bytes from which a part of a token is: one that is
	// certain to have a gram in it that begins at a multiple of gram.
	minPart = 2*gram - 1
)

// Redact returns s with the token replaced by "[redacted]": as it is or in
// base64, whole or any 15 bytes of it in a row. It is for text that comes from
// elsewhere, such as a server that repeats what it was sent. Tokens of less than
// 8 bytes are not looked for.
func (t Token) Redact(s string) string {
	secret := t.Reveal()
	if len(secret) < minRedact {
		return s
	}
	forms := []string{
		secret,
		base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.URLEncoding.EncodeToString([]byte(secret)),
	}
	for _, form := range forms {
		s = strings.ReplaceAll(s, form, redacted)
	}
	return redactParts(s, forms)
}

// place is where a gram is in a form of the token.
type place struct {
	form string
	at   int
}

// redactParts redacts every part of a form that is long enough. It looks at
// every eighth byte only, so that it keeps up with large events.
func redactParts(s string, forms []string) string {
	grams := map[string]place{}
	for _, form := range forms {
		for i := len(form) - gram; i >= 0; i-- {
			grams[form[i:i+gram]] = place{form, i}
		}
	}
	var b strings.Builder
	done := 0
	for i := 0; i+gram <= len(s); i += gram {
		p, ok := grams[s[i:i+gram]]
		if !ok || i < done {
			continue
		}
		from, to := extend(s, i, p, done)
		if to-from < minPart {
			continue
		}
		b.WriteString(s[done:from])
		b.WriteString(redacted)
		done = to
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// extend returns the longest part of s around s[i:i+gram], beginning at least
// at least, that is a part of the form too.
func extend(s string, i int, p place, least int) (from, to int) {
	from, start := i, p.at
	for from > least && start > 0 && s[from-1] == p.form[start-1] {
		from, start = from-1, start-1
	}
	to, end := i+gram, p.at+gram
	for to < len(s) && end < len(p.form) && s[to] == p.form[end] {
		to, end = to+1, end+1
	}
	return from, to
}

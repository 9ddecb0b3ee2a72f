package token

import (
	"strconv"
	"strings"
)

// unescape returns JSON of the same meaning in which what a token may have in it
// is written in the shortest way: \u0041 and \/ escape what need not be, and
// \u0022 is \". If there is no such thing, it returns text itself.
func unescape(text string) string {
	var out strings.Builder
	done := 0 // up to where out has text
	for i := 0; ; {
		n := strings.IndexByte(text[i:], '\\')
		if n < 0 || i+n+1 == len(text) {
			break
		}
		i += n
		short, size := escaped(text[i+1:]), len(`\u0041`)
		if text[i+1] == '/' {
			short, size = "/", len(`\/`)
		}
		if short == "" {
			i += len(`\n`) // or what another escape begins with
			continue
		}
		if done == 0 {
			out.Grow(len(text))
		}
		out.WriteString(text[done:i])
		out.WriteString(short)
		i += size
		done = i
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

// escaped returns the shortest way to write the character of an escape such as
// u0041, if that is a visible one of ASCII; else "".
func escaped(s string) string {
	if s[0] != 'u' || len(s) < len("u0041") {
		return ""
	}
	if s[1] != '0' || s[2] != '0' {
		return "" // none of ASCII; most are like that
	}
	n, err := strconv.ParseUint(s[1:5], 16, 16)
	switch {
	case err != nil || n <= ' ' || n >= 0x7f:
		return ""
	case n == '"' || n == '\\':
		return `\` + string(rune(n))
	}
	return string(rune(n))
}

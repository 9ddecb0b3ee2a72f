package token

import "strings"

// A match must not cut an escape in two: of the JSON "\nabc", a token that
// begins with n would leave a lone backslash, and of the XML "&lt;abc" a lone
// ampersand, with which the text around it could not be read any more.

// maxReference is the size in bytes of the longest character reference that is
// looked for, such as "&#x10ffff;".
const maxReference = 10

// whole widens a range of s, so that it holds each escape whole or not at all.
func whole(s string, from, to int) (int, int) {
	return escapeAt(s, from), afterEscape(s, to)
}

// escapeAt returns where the escape begins that has s[at] in it but does not
// begin there; at if there is none.
func escapeAt(s string, at int) int {
	if at <= 0 || at >= len(s) {
		return at
	}
	if odd(s, at) {
		return at - 1
	}
	for from := at - 2; from >= 0 && from > at-len(`\u0041`); from-- {
		if s[from] == '\\' && isUnicode(s[from:]) && !odd(s, from) {
			return from
		}
	}
	return referenceAt(s, at)
}

// odd reports whether s[at] comes after a backslash that is not itself escaped.
func odd(s string, at int) bool {
	n := 0
	for at-n > 0 && s[at-n-1] == '\\' {
		n++
	}
	return n%2 == 1
}

// isUnicode reports whether s begins with an escape such as \u0041.
func isUnicode(s string) bool {
	return len(s) >= len(`\u0041`) && s[1] == 'u' && strings.Trim(s[2:6], "0123456789abcdefABCDEF") == ""
}

// referenceAt is escapeAt for a character reference such as "&lt;" or "&#34;".
func referenceAt(s string, at int) int {
	from := strings.LastIndexByte(s[max(0, at-maxReference):at], '&')
	if from < 0 {
		return at
	}
	from += max(0, at-maxReference)
	if reference(s[from:]) > at-from {
		return from
	}
	return at
}

// reference returns the size of the character reference that s begins with; 0 if
// it is none.
func reference(s string) int {
	for i := 1; i < min(len(s), maxReference); i++ {
		switch c := small(s[i]); {
		case c == ';':
			return i + 1
		case c == '#' && i == 1, 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		default:
			return 0
		}
	}
	return 0
}

// afterEscape returns where the escape ends that s[to] is in but does not begin; to
// if there is none.
func afterEscape(s string, to int) int {
	from := escapeAt(s, to)
	switch {
	case from == to:
		return to
	case s[from] == '&':
		return from + reference(s[from:])
	case isUnicode(s[from:]):
		return from + len(`\u0041`)
	}
	return from + 2
}

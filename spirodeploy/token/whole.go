package token

import (
	"regexp"
	"strings"
)

// maxReference is the size in bytes of the longest character reference that is
// looked for, such as "&#x10ffff;".
const maxReference = 10

// escape matches an escape of JSON, and a character reference such as "&lt;" or "&#34;".
// A match of a token must not cut one in two: of the JSON "\nabc", a token that begins
// with n would leave a lone backslash, and of the XML "&lt;abc" a lone ampersand, with
// which the text around it could not be read any more.
var escape = regexp.MustCompile(`(?s)\\u[0-9a-fA-F]{4}|\\[^&]|&#?[0-9a-zA-Z]{0,7};`)

// escapeAt returns the range of the escape that has s[at] in it but does not begin there;
// at twice if there is none.
func escapeAt(s string, at int) (from, to int) {
	start := max(0, at-maxReference)
	start -= (start - len(strings.TrimRight(s[:start], `\`))) % 2 // a backslash escapes the next one
	for _, m := range escape.FindAllStringIndex(s[start:min(at+maxReference, len(s))], -1) {
		if from, to = start+m[0], start+m[1]; from < at && at < to {
			return from, to
		}
	}
	return at, at
}

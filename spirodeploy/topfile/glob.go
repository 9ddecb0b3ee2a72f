package topfile

import (
	"regexp"
	"strings"
)

// isGlob tells whether a pattern may match more than itself.
func isGlob(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }

// glob compiles a pattern as Python's fnmatch reads it, which is how Salt
// matches ids and SLS names: *, ?, [seq] and [!seq], without escapes and without
// a special slash or dot.
func glob(pattern string) func(string) bool {
	if !isGlob(pattern) {
		return func(name string) bool { return name == pattern }
	}
	var expr strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			expr.WriteString(".*")
		case '?':
			expr.WriteByte('.')
		case '[':
			class, n := globClass(pattern[i:])
			expr.WriteString(class)
			i += n - 1
		default:
			end := i + strings.IndexAny(pattern[i:], "*?[")
			if end < i {
				end = len(pattern)
			}
			expr.WriteString(regexp.QuoteMeta(pattern[i:end]))
			i = end - 1
		}
	}
	matcher, err := regexp.Compile(`(?s)\A(?:` + expr.String() + `)\z`)
	if err != nil {
		return func(string) bool { return false }
	}
	return matcher.MatchString
}

// globClass returns the regular expression for the [seq] that pattern starts
// with, and its length in pattern. A bracket that is never closed stands for itself.
func globClass(pattern string) (class string, length int) {
	start := 1
	if strings.HasPrefix(pattern[start:], "!") {
		start++
	}
	// A bracket in the first place belongs to the sequence.
	search := min(start+1, len(pattern))
	end := strings.IndexByte(pattern[search:], ']')
	if end < 0 {
		return `\[`, 1
	}
	end += search
	sequence := strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(pattern[start:end])
	if start == 2 {
		sequence = "^" + sequence
	}
	return "[" + sequence + "]", end + 1
}

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
	expr := globPart.ReplaceAllStringFunc(pattern, func(part string) string {
		switch {
		case part == "*":
			return ".*"
		case part == "?":
			return "."
		case strings.HasPrefix(part, "[!"):
			return "[^" + globClass.Replace(part[2:len(part)-1]) + "]"
		case len(part) > 1 && part[0] == '[':
			return "[" + globClass.Replace(part[1:len(part)-1]) + "]"
		}
		return regexp.QuoteMeta(part)
	})
	matcher, err := regexp.Compile(`(?s)\A(?:` + expr + `)\z`)
	if err != nil {
		return func(string) bool { return false }
	}
	return matcher.MatchString
}

// globPart matches the parts of a pattern. A bracket in the first place belongs to the
// sequence, and one that is never closed stands for itself.
var globPart = regexp.MustCompile(`(?s)\*|\?|\[(?:!.|[^!])[^\]]*\]|\[|[^*?\[]+`)

// globClass escapes what a class of a regular expression reads otherwise.
var globClass = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`)

package sanitize

import (
	"regexp"
	"runtime"
	"strings"
)

// Shell quotes a word for the shell of this system if the shell would change it.
func Shell(s string) string {
	if runtime.GOOS == "windows" {
		return forWindows(s)
	}
	return forPOSIX(s)
}

// changedByPOSIX matches what a POSIX shell could change.
var changedByPOSIX = regexp.MustCompile(`[^a-zA-Z0-9_./+:,@%-]`)

func forPOSIX(s string) string {
	if s != "" && !changedByPOSIX.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// changedByWindows matches what cmd.exe, or the program that splits its own command line,
// could change.
var changedByWindows = regexp.MustCompile("[\\s&|<>^%\"]")

// beforeQuote matches backslashes that would take away the meaning of a double quote, and
// double quotes of the text.
var beforeQuote = regexp.MustCompile(`(\\*)("|$)`)

// forWindows uses double quotes, because cmd.exe passes single ones on.
func forWindows(s string) string {
	if s != "" && !changedByWindows.MatchString(s) {
		return s
	}
	s = beforeQuote.ReplaceAllStringFunc(s, func(found string) string {
		slashes, isQuote := strings.CutSuffix(found, `"`)
		if isQuote {
			return slashes + slashes + `\"`
		}
		return slashes + slashes
	})
	return `"` + s + `"`
}

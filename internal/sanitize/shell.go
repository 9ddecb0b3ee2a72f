package sanitize

import (
	"regexp"
	"strings"
)

// forShell matches what a shell could change.
var forShell = regexp.MustCompile(`[^a-zA-Z0-9_./+:,@%-]`)

// Shell quotes a word for a POSIX shell if the shell would change it.
func Shell(s string) string {
	if s != "" && !forShell.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

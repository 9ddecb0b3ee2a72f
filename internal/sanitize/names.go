package sanitize

import (
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
)

// maxNames is how many names a line has.
const maxNames = 20

// Names returns the first names of a list in one line, and how many more there are.
func Names(names []string) string {
	all := make([]string, 0, maxNames+1)
	for _, name := range names[:min(len(names), maxNames)] {
		all = append(all, Line(name))
	}
	if left := len(names) - len(all); left > 0 {
		all = append(all, "and "+human.Thousands(left)+" more")
	}
	return strings.Join(all, ", ")
}

// BothEnds returns about the first and the last bytes of s, and how many were left out
// between them: the reason of a Python traceback is at its end.
func BothEnds(s string, most int) string {
	if len(s) <= most {
		return s
	}
	half := most / 2
	head, tail := strings.ToValidUTF8(s[:half], ""), strings.ToValidUTF8(s[len(s)-half:], "")
	return head + "\n… (" + human.Thousands(len(s)-2*half) + " more bytes) …\n" + tail
}

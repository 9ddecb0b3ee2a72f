package token

import (
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// unescape returns JSON of the same meaning in which what a token may have in it
// is written in the shortest way: \u0041 and \/ escape what need not be, and
// \u0022 is \". If there is no such thing, it returns text itself.
func unescape(text string) string {
	var out strings.Builder
	done := 0 // up to where out has text
	for i := 0; ; {
		n := strings.IndexByte(text[i:], '\\')
		if n < 0 {
			break
		}
		i += n
		c, size := rawjson.Escape(text[i:])
		if c <= ' ' || c >= 0x7f || c != '/' && size < len(`\u0041`) {
			i = min(i+len(`\n`), len(text)) // or what another escape begins with
			continue
		}
		out.WriteString(text[done:i])
		if c == '"' || c == '\\' {
			out.WriteByte('\\')
		}
		out.WriteByte(byte(c))
		i += size
		done = i
	}
	if done == 0 {
		return text
	}
	out.WriteString(text[done:])
	return out.String()
}

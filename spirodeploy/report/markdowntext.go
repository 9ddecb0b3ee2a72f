package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// inert returns a text as Markdown that shows it on one line, and is nothing
// else. What it is escaped to is text to every parser of Markdown; and in code,
// GitHub does not look for people, issues and commits.
func inert(s string) string {
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range oneLine(s) {
		if r < utf8.RuneSelf && !strings.ContainsRune(" ,;()'-%?=/", r) && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			fmt.Fprintf(&b, "&#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	b.WriteString("</code>")
	return b.String()
}

// fence returns a text as a code block, indented by pad, that ends after it.
func fence(s, pad string) string {
	s = strings.TrimRight(sanitize.Text(sanitize.Clip(s, maxFenced)), "\n\t ")
	ticks, run := 3, 0
	for i := range len(s) {
		run++
		if s[i] != '`' {
			run = 0
		}
		ticks = max(ticks, run+1)
	}
	var b strings.Builder
	edge := pad + strings.Repeat("`", ticks) + "\n"
	b.WriteString(edge)
	for line := range strings.SplitSeq(s, "\n") {
		b.WriteString(strings.TrimRight(pad+line, " ") + "\n")
	}
	b.WriteString(edge)
	return b.String()
}

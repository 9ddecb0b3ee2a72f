package view

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// hunk begins a part of a unified diff.
const hunk = "@@ "

// isDiff reports whether a text is a unified diff. Salt may put words there instead, such
// as "New file".
func isDiff(s string) bool { return strings.HasPrefix(s, hunk) || strings.Contains(s, "\n"+hunk) }

// coloredDiff returns the lines of a unified diff.
func coloredDiff(diff string) []line {
	var lines []line
	inHunk := false
	for text := range strings.SplitSeq(diff, "\n") {
		inHunk = inHunk || strings.HasPrefix(text, hunk)
		var c color
		switch {
		case !inHunk: // the names of the files
		case strings.HasPrefix(text, hunk):
			c = inCyan
		case strings.HasPrefix(text, "+"):
			c = inGreen
		case strings.HasPrefix(text, "-"):
			c = inRed
		}
		lines = append(lines, line{c, text})
	}
	return lines
}

// diffBrief returns the size of the diffs in a state's changes, such as "+2 −1", or
// Salt's words instead of a diff.
func diffBrief(raw json.RawMessage) string {
	var d diffCount
	d.count(rawjson.View(raw))
	if d.found {
		return fmt.Sprintf("+%d −%d", d.added, d.removed)
	}
	return d.words
}

// maxWords is the size of such words, in bytes.
const maxWords = 60

type diffCount struct {
	found          bool
	added, removed int
	words          string
}

// count counts the lines of diffs in an object and in nested ones, as file.recurse
// returns them.
func (d *diffCount) count(raw string) {
	for key, value := range rawjson.Members(raw) {
		if first := rawjson.First(value); first == '{' {
			d.count(value)
		} else if first == '"' && key == "diff" {
			d.text(rawjson.Text(value))
		}
	}
}

func (d *diffCount) text(diff string) {
	if !isDiff(diff) {
		first, _, _ := strings.Cut(strings.TrimSpace(diff), "\n")
		d.words = sanitize.Line(sanitize.Clip(first, maxWords))
		return
	}
	d.found = true
	for _, l := range coloredDiff(diff) {
		switch l.color {
		case inGreen:
			d.added++
		case inRed:
			d.removed++
		}
	}
}

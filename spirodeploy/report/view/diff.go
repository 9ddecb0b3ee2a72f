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

// maxWords is the size of Salt's words instead of a diff, in bytes.
const maxWords = 60

// diffBrief returns the size of the diffs in a state's changes, such as "+2 −1", or
// Salt's words instead of a diff.
func diffBrief(raw json.RawMessage) string {
	lines, words := map[color]int{}, ""
	eachDiff(rawjson.View(raw), func(diff string) {
		if !isDiff(diff) {
			words = sanitize.Line(sanitize.Clip(firstLine([]string{diff}), maxWords))
			return
		}
		for _, l := range coloredDiff(diff) {
			lines[l.color]++
		}
	})
	if len(lines) > 0 {
		return fmt.Sprintf("+%d −%d", lines[inGreen], lines[inRed])
	}
	return words
}

// eachDiff shows the diffs in an object and in nested ones, as file.recurse returns them.
func eachDiff(raw string, show func(diff string)) {
	for key, value := range rawjson.Members(raw) {
		if first := rawjson.First(value); first == '{' {
			eachDiff(value, show)
		} else if first == '"' && key == "diff" {
			show(rawjson.Text(value))
		}
	}
}

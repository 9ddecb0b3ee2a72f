package report

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Sizes of what is told in a folded summary.
const (
	maxFolded   = 300 // of a line, in bytes
	maxComment  = 4   // lines of a comment
	maxStderr   = 3   // last lines of what a command wrote
	maxWarnings = 2   // of a state
	foldedPad   = "                 "
)

var outcomeWords = map[highstate.Outcome]string{
	highstate.OK: "ok", highstate.Changed: "changed", highstate.Pending: "would change", highstate.Bad: "failed",
}

// foldedState returns a line for a state, and further ones for its warnings and
// for why it failed.
func foldedState(s *highstate.State, because []string) []line {
	c := outcomeColors[s.Outcome]
	text := fmt.Sprintf("    %-12s %-16s %s", outcomeWords[s.Outcome], foldedLine(s.Function), foldedLine(s.ID))
	if s.Name != s.ID && s.Name != "" {
		text += " (" + foldedLine(s.Name) + ")"
	}
	if brief := diffBrief(s.Changes); brief != "" {
		text += " " + brief
	}
	lines := []line{{c, text}}
	for i, warning := range s.Warnings {
		if i == maxWarnings {
			break
		}
		lines = append(lines, line{inYellow, foldedPad + "Warning: " + foldedLine(warning)})
	}
	if s.Outcome != highstate.Bad {
		return lines
	}
	for _, why := range foldedReason(s, because) {
		lines = append(lines, line{c, foldedPad + why})
	}
	return lines
}

// foldedReason says why a state failed.
func foldedReason(s *highstate.State, because []string) []string {
	var lines []string
	for _, cause := range because {
		lines = append(lines, "Because: "+foldedLine(cause))
	}
	if len(lines) > 0 {
		return lines
	}
	comment := strings.TrimSpace(s.Comment)
	if strings.HasPrefix(comment, missingText) {
		return []string{foldedLine(reason(s))}
	}
	for text := range strings.SplitSeq(comment, "\n") {
		if len(lines) == maxComment {
			break
		}
		if text = foldedLine(text); text != "" {
			lines = append(lines, text)
		}
	}
	said := strings.Split(stderr(s), "\n")
	for _, text := range said[max(0, len(said)-maxStderr):] {
		if text != "" {
			lines = append(lines, "stderr: "+foldedLine(text))
		}
	}
	if len(lines) == 0 {
		return []string{reason(s)}
	}
	return lines
}

// foldedLine returns the beginning of the first line of a text.
func foldedLine(s string) string {
	first, _, more := strings.Cut(strings.TrimSpace(s), "\n")
	first = sanitize.Line(sanitize.Clip(first, maxFolded))
	if more {
		first += " …"
	}
	return first
}

// messageLines returns what Salt says in place of states, in so many lines.
func messageLines(messages []string, c color, room int) []line {
	var lines []line
	left := 0
	for _, msg := range messages {
		for text := range strings.SplitSeq(trimRight(sanitize.Clip(msg, maxShown)), "\n") {
			if len(lines) == room-1 {
				left++
				continue
			}
			if text != "" {
				text = "    " + sanitize.Text(sanitize.Clip(text, maxFolded))
			}
			lines = append(lines, line{c, text})
		}
	}
	if left > 0 {
		lines = append(lines, line{c, "    … and " + plural(left, "more line")})
	}
	return lines
}

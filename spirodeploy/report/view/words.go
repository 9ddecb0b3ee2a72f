package view

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Words of pages and Markdown. A mark stands beside each word and colour, so that neither
// is the only sign.
var (
	headlines = map[report.Verdict]string{
		report.Success: "deployed", report.MinionFailed: "minions failed", report.Invalid: "not deployed", report.Refused: "refused by the server",
		report.ServerFailed: "the server failed", report.Unreachable: "the server was not reached", report.Unknown: "the outcome is not known", report.NotStarted: "not begun", report.Interrupted: "interrupted",
	}
	statusWords = map[highstate.Status]string{
		highstate.Succeeded: "succeeded", highstate.Failed: "failed", highstate.NotCompiled: "did not compile",
		highstate.NoAnswer: "did not answer", highstate.Unreported: "did not report",
		highstate.NotReached: "was not reached",
	}
	statusMarks = map[highstate.Status]string{
		highstate.Succeeded: "✅", highstate.Failed: "❌", highstate.NotCompiled: "❌", highstate.NoAnswer: "❌", highstate.Unreported: "❔",
		highstate.NotReached: "❌",
	}
)

// outcomes are the looks of outcomes. A result is a word of Salt, page.js reads the letter,
// and states on shelf 0 matter most to a page.
var outcomes = map[highstate.Outcome]struct {
	word, result, letter string
	color                color
	shelf                int
}{
	highstate.OK: {"ok", "True", "o", inGreen, 2}, highstate.Changed: {"changed", "True", "c", inCyan, 1},
	highstate.Pending: {"would change", "None", "p", inYellow, 1}, highstate.Bad: {"failed", "False", "f", inRed, 0},
}

// headline returns the verdict in a few words.
func headline(t *report.Target) string {
	switch {
	case t.Verdict == report.Success && t.DryRun:
		return "dry run"
	case t.Verdict == report.MinionFailed && t.Error != "" && len(t.Minions) == 0:
		return "no minion is concerned"
	case t.Verdict == report.MinionFailed && t.Error != "":
		return "too few minions"
	case t.Verdict == report.MinionFailed && t.Count(highstate.NotReached) > 0 && t.Count(highstate.NotReached)+t.Count(highstate.Succeeded) == len(t.Minions):
		return "minions were not reached"
	}
	if words, ok := headlines[t.Verdict]; ok {
		return words
	}
	return "verdict " + sanitize.Line(string(t.Verdict)) // a report that was read may have any
}

// fact is a fact about a deployment.
type fact struct {
	Name, Value string
	Foreign     bool // whether the value comes from elsewhere
}

// Wide reports whether a page gives the value a line of its own.
func (f fact) Wide() bool { return len(f.Value) > 64 }

// facts returns the facts beside the verdict.
func facts(t *report.Target) []fact {
	all := []fact{
		{"Server", t.Server, true},
		{"Bundle", string(t.Bundle.Digest), true},
		{"From", t.Bundle.Origin, true},
		{"Commit", t.Bundle.Commit, true},
		{"Contents", human.Count(t.Bundle.Entries, "entry", "entries") + ", " + human.Size(t.Bundle.Size), false},
		{"Started", clock(t.Started), false},
		{"Took", took(t.Started, t.Finished), false},
		{"Exit status", strconv.Itoa(t.ExitStatus), false},
	}
	shown := all[:0]
	for _, f := range all {
		if f.Value != "" && (f.Name != "Contents" || t.Bundle.Digest != "") {
			shown = append(shown, f)
		}
	}
	return shown
}

// failedFirst yields the minions that did not succeed, then the others.
func failedFirst(t *report.Target) iter.Seq[*report.Minion] {
	return func(yield func(*report.Minion) bool) {
		for _, ok := range []bool{false, true} {
			for _, m := range t.Minions {
				if m.OK() == ok && !yield(m) {
					return
				}
			}
		}
	}
}

// took returns a duration.
func took(from, to time.Time) string {
	return seconds(highstate.Milliseconds(max(0, to.Sub(from))))
}

func seconds(m highstate.Milliseconds) string {
	d := time.Duration(m)
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// clock returns a time in UTC, so that all times of a page have the same zone.
func clock(when time.Time) string { return when.UTC().Format("2006-01-02 15:04:05 UTC") }

// firstLine returns the first line of the first message.
func firstLine(messages []string) string {
	if len(messages) == 0 {
		return "Salt gives no reason"
	}
	text, _, _ := strings.Cut(strings.TrimSpace(messages[0]), "\n")
	return text
}

func trimRight(s string) string { return strings.TrimRight(s, "\n\t ") }

// oneLine returns the beginning of a text in one line.
func oneLine(s string) string { return sanitize.Line(sanitize.Clip(s, maxLine)) }

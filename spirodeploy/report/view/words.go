package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// seal is a colour of a page, and marks with the same meaning. A mark stands beside each
// word and colour, so that neither is the only sign.
type seal struct{ Colour, Mark, emoji string }

var (
	sealOK      = seal{"ok", "✓", "✅"}
	sealFailed  = seal{"failed", "✗", "❌"}
	sealPending = seal{"pending", "?", "❔"}
)

// look is how pages and Markdown show a verdict or a status.
type look struct {
	Words string
	seal
}

var (
	verdicts = map[report.Verdict]look{
		report.Success: {"deployed", sealOK}, report.MinionFailed: {"minions failed", sealFailed}, report.Invalid: {"not deployed", sealFailed},
		report.Refused: {"refused by the server", sealFailed}, report.ServerFailed: {"the server failed", sealFailed}, report.Unreachable: {"the server was not reached", sealFailed},
		report.Unknown: {"the outcome is not known", sealPending}, report.NotStarted: {"not begun", sealFailed}, report.Interrupted: {"interrupted", sealPending},
	}
	statuses = map[highstate.Status]look{
		highstate.Succeeded: {"succeeded", sealOK}, highstate.Failed: {"failed", sealFailed}, highstate.NotCompiled: {"did not compile", sealFailed},
		highstate.NoAnswer: {"did not answer", sealFailed}, highstate.Unreported: {"did not report", sealPending}, highstate.NotReached: {"was not reached", sealFailed},
	}
)

// sealOf and lookOf show an unknown verdict or status as a failure. A report that was read
// may have one.
func sealOf(v report.Verdict) seal { return cmp.Or(verdicts[v].seal, sealFailed) }

func lookOf(s highstate.Status) look {
	return look{statuses[s].Words, cmp.Or(statuses[s].seal, sealFailed)}
}

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

// otherName returns the name of a state unless that is its ID.
func otherName(s *highstate.State) string {
	if s.Name == s.ID {
		return ""
	}
	return s.Name
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
	// A report that was read may have any verdict.
	return cmp.Or(verdicts[t.Verdict].Words, "verdict "+sanitize.Line(string(t.Verdict)))
}

// fact is a fact about a deployment.
type fact struct {
	Name, Value string
	Foreign     bool // whether the value comes from elsewhere
}

// facts returns the facts beside the verdict.
func facts(t *report.Target) []fact {
	all := []fact{
		{"Server", t.Server, true},
		{"Bundle", string(t.Bundle.Digest), true},
		{"From", t.Bundle.Origin, true},
		{"Commit", t.Bundle.Commit, true},
		{"Contents", human.Count(t.Bundle.Entries, "entry", "entries") + ", " + human.Size(t.Bundle.Size), false},
		{"Started", clock(t.Started), false},
		{"Took", seconds(highstate.Milliseconds(max(0, t.Finished.Sub(t.Started)))), false},
		{"Exit status", strconv.Itoa(t.ExitStatus), false},
	}
	return slices.DeleteFunc(all, func(f fact) bool { return f.Value == "" || f.Name == "Contents" && t.Bundle.Digest == "" })
}

// failedFirst returns the minions that did not succeed, then the others.
func failedFirst(t *report.Target) []*report.Minion {
	good, bad := split(t.Minions, (*report.Minion).OK)
	return slices.Concat(bad, good)
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
	text, _, _ := strings.Cut(sanitize.LF(strings.TrimSpace(messages[0])), "\n")
	return text
}

func trimRight(s string) string { return strings.TrimRight(s, "\n\t ") }

// oneLine returns the beginning of a text in one line.
func oneLine(s string) string { return sanitize.Line(sanitize.Clip(s, maxLine)) }

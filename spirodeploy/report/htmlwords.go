package report

import (
	"iter"
	"strconv"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// What pages and Markdown say for the values of a report. A mark is beside each
// word and colour: neither is to be the only sign.
var (
	headlines = map[Verdict]string{
		Success: "deployed", MinionFailed: "minions failed", Invalid: "not deployed", Refused: "refused by the server",
		ServerFailed: "the server failed", Unreachable: "the server was not reached", Unknown: "the outcome is not known", NotStarted: "not begun", Interrupted: "interrupted",
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

// headline says the verdict in a few words.
func (t *Target) headline() string {
	switch {
	case t.Verdict == Success && t.DryRun:
		return "dry run"
	case t.Verdict == MinionFailed && t.Error != "" && len(t.Minions) == 0:
		return "no minion is concerned"
	case t.Verdict == MinionFailed && t.Error != "":
		return "too few minions"
	case t.Verdict == MinionFailed && t.count(highstate.NotReached) > 0 && t.count(highstate.NotReached)+t.count(highstate.Succeeded) == len(t.Minions):
		return "minions were not reached"
	}
	if words, ok := headlines[t.Verdict]; ok {
		return words
	}
	return "verdict " + sanitize.Line(string(t.Verdict)) // of a report that was read
}

// fact is something to know of a deployment.
type fact struct {
	name, value string
	foreign     bool // whether the value is not of our own making
}

// facts are shown beside the verdict.
func (t *Target) facts() []fact {
	all := []fact{
		{"Server", t.Server, true},
		{"Bundle", string(t.Bundle.Digest), true},
		{"Commit", t.Bundle.Commit, true},
		{"Contents", human.Count(t.Bundle.Entries, "entry", "entries") + ", " + human.Size(t.Bundle.Size), false},
		{"Started", t.Started.UTC().Format("2006-01-02 15:04:05 UTC"), false},
		{"Took", took(t.Started, t.Finished), false},
		{"Exit status", strconv.Itoa(t.ExitStatus), false},
	}
	shown := all[:0]
	for _, f := range all {
		if f.value != "" && (f.name != "Contents" || t.Bundle.Digest != "") {
			shown = append(shown, f)
		}
	}
	return shown
}

// failedFirst goes through the minions: those that did not succeed, then the others.
func (t *Target) failedFirst() iter.Seq[*Minion] {
	return func(yield func(*Minion) bool) {
		for _, ok := range []bool{false, true} {
			for _, m := range t.Minions {
				if m.OK() == ok && !yield(m) {
					return
				}
			}
		}
	}
}

// took says how long something took.
func took(from, to time.Time) string {
	return seconds(highstate.Milliseconds(max(0, to.Sub(from))))
}

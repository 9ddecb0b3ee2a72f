package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Summary returns the verdict in one line. For several targets, it names those that
// failed.
func (r *Report) Summary() string {
	if len(r.Targets) == 1 {
		return r.Targets[0].Summary
	}
	if r.Verdict == Success {
		return fmt.Sprintf("Success: %d targets", len(r.Targets))
	}
	var failed []string
	skipped := 0
	for _, t := range r.Targets {
		switch t.Verdict {
		case Success:
		case NotStarted:
			skipped++
		default:
			failed = append(failed, sanitize.Line(t.Name))
		}
	}
	if len(failed) == 0 {
		return fmt.Sprintf("FAILURE: %d of %d targets not begun", skipped, len(r.Targets))
	}
	text := fmt.Sprintf("FAILURE: %d of %d targets failed: %s", len(failed), len(r.Targets), strings.Join(failed, ", "))
	if skipped > 0 {
		text += fmt.Sprintf("; %d not begun", skipped)
	}
	return text
}

// IDs returns the ids of the minions with one of the statuses.
func (t *Target) IDs(statuses ...highstate.Status) []string {
	var ids []string
	for _, m := range t.Minions {
		if slices.Contains(statuses, m.Status) {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// Count returns how many minions have a status.
func (t *Target) Count(status highstate.Status) int { return len(t.IDs(status)) }

// Long returns Summary with each part of an error, and each reason, on a line of its
// own: for a terminal. It returns Summary if the report was read from JSON.
func (t *Target) Long() string { return cmp.Or(t.long, t.Summary) }

// layout is [fault.Line] or [fault.Lines].
type layout func(error, fault.Speller) string

// summary returns the verdict, with names.
func (t *Target) summary(lay layout, spell fault.Speller, separator string) string {
	what := sanitize.Line(t.Saltenv)
	switch {
	case t.Verdict == Success && t.DryRun:
		return what + ": dry run, nothing was sent"
	case t.Verdict == Success && !t.Highstate:
		return what + " deployed, without a highstate"
	case t.Verdict == Success && len(t.Minions) == 0:
		return what + " deployed, no minion is concerned" + t.absent()
	case t.Verdict == Success:
		c := t.Totals()
		return fmt.Sprintf("%s deployed: %s, %s, %d changed", what, human.Plural(len(t.Minions), "minion"), human.Plural(c.Total, "state"), c.Changed) + t.absent()
	}
	if words := words[t.Verdict]; words != "" {
		what += ": " + words
	}
	reasons := t.minionReasons()
	if t.err != nil {
		reasons = append([]string{sanitize.Text(lay(t.err, spell))}, reasons...)
	}
	return what + ": " + strings.Join(reasons, separator)
}

// minionReasons returns what the minions contribute to a verdict other than Success.
func (t *Target) minionReasons() []string {
	var reasons []string
	add := func(format string, statuses ...highstate.Status) {
		if ids := t.IDs(statuses...); len(ids) > 0 {
			reasons = append(reasons, fmt.Sprintf("%d of %s ", len(ids), human.Plural(len(t.Minions), "minion"))+fmt.Sprintf(format, sanitize.Names(ids)))
		}
	}
	add("failed (%s)", highstate.Failed, highstate.NotCompiled, highstate.NoAnswer)
	if t.Verdict != ServerFailed {
		add("did not report (%s)", highstate.Unreported)
	}
	wasWere := "were"
	if t.Count(highstate.NotReached) == 1 {
		wasWere = "was"
	}
	help := ": " + askMaster
	if errors.Is(t.err, ErrNoMinions) || errors.As(t.err, new(*FewMinionsError)) {
		help = "" // that error has it
	}
	add(wasWere+" not reached (%s)"+help, highstate.NotReached)
	if after := t.afterwards(); after != "" {
		reasons = append(reasons, after)
	}
	return reasons
}

// Totals returns the counts of all minions together.
func (t *Target) Totals() highstate.Counts {
	var sum highstate.Counts
	for _, m := range t.Minions {
		sum.Total += m.Counts.Total
		sum.Succeeded += m.Counts.Succeeded
		sum.Changed += m.Counts.Changed
		sum.Pending += m.Counts.Pending
		sum.Failed += m.Counts.Failed
		sum.Duration += m.Counts.Duration
	}
	return sum
}

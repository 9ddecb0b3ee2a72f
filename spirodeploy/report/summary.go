package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Summary returns the verdict in a line, with names.
func (r *Report) Summary() string {
	if len(r.Targets) == 1 {
		return r.Targets[0].Summary
	}
	return r.verdictLines()[0].text
}

// failures returns a line for each target that failed; for several that did so in
// the same way, one.
func (r *Report) failures() []string {
	var lines []string
	names := map[string][]string{} // by what happened
	var order []string
	for _, t := range r.Targets {
		switch {
		case t.Verdict == Success:
			continue
		case len(r.Targets) == 1:
			return []string{t.Summary}
		case names[t.Summary] == nil:
			order = append(order, t.Summary)
		}
		names[t.Summary] = append(names[t.Summary], sanitize.Line(t.Name))
	}
	for _, what := range order {
		lines = append(lines, strings.Join(names[what], ", ")+": "+what)
	}
	return lines
}

// count returns how many minions have that status.
func (t *Target) count(status highstate.Status) int {
	n := 0
	for _, m := range t.Minions {
		if m.Status == status {
			n++
		}
	}
	return n
}

// maxNamed is how many minions are named in a line.
const maxNamed = 20

// named returns the ids of the minions with one of the statuses.
func (t *Target) named(statuses ...highstate.Status) string {
	var ids []string
	n := 0
	for _, m := range t.Minions {
		if !slices.Contains(statuses, m.Status) {
			continue
		}
		if n++; n <= maxNamed {
			ids = append(ids, sanitize.Line(m.ID))
		}
	}
	if n > maxNamed {
		ids = append(ids, "and "+human.Thousands(n-maxNamed)+" more")
	}
	return strings.Join(ids, ", ")
}

// summary returns the verdict in a line, with names.
func (t *Target) summary() string {
	what := sanitize.Line(t.Saltenv)
	switch {
	case t.Verdict == Success && t.DryRun:
		return what + ": dry run, nothing was sent"
	case t.Verdict == Success && !t.Highstate:
		return what + " deployed, without a highstate"
	case t.Verdict == Success && len(t.Minions) == 0:
		return what + " deployed, no minion is concerned"
	case t.Verdict == Success:
		c := t.totals()
		return fmt.Sprintf("%s deployed: %s, %s, %d changed", what, plural(len(t.Minions), "minion"), plural(c.Total, "state"), c.Changed)
	}
	if words := t.Verdict.words(); words != "" {
		what += ": " + words
	}
	return what + ": " + strings.Join(t.reasons(), "; ")
}

// reasons returns why the verdict is no success: the error, and what minions did.
func (t *Target) reasons() []string {
	var reasons []string
	if t.err != nil {
		reasons = append(reasons, sanitize.Text(t.Error))
	}
	missed := t.count(highstate.NotReached)
	if failed := len(t.Minions) - t.count(highstate.Succeeded) - t.count(highstate.Unreported) - missed; failed > 0 {
		reasons = append(reasons, fmt.Sprintf("%d of %s failed (%s)", failed, plural(len(t.Minions), "minion"),
			t.named(highstate.Failed, highstate.NotCompiled, highstate.NoAnswer)))
	}
	if n := t.count(highstate.Unreported); n > 0 && t.Verdict != ServerFailed {
		reasons = append(reasons, fmt.Sprintf("%d of %s did not report (%s)", n, plural(len(t.Minions), "minion"), t.named(highstate.Unreported)))
	}
	if missed > 0 {
		reasons = append(reasons, fmt.Sprintf("%d of %s %s not reached (%s): %s", missed, plural(len(t.Minions), "minion"), wasWere(missed), t.named(highstate.NotReached), askMaster))
	}
	if after := t.afterwards(); after != "" {
		reasons = append(reasons, after)
	}
	return reasons
}

func (t *Target) totals() highstate.Counts {
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

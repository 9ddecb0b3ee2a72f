package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// SpiroFS asks all minions which states are for them, and highstates those that
// answer. A minion that is down by then is in no event, and the run would look whole.
// The functions here find the minions that had to be there.

// FewMinionsError means that fewer minions were reached than had to be.
type FewMinionsError struct{ Reached, Min int }

func (e *FewMinionsError) Error() string {
	return fmt.Sprintf("%s reached, and %d had to be: %s", were(e.Reached), e.Min, askMaster)
}

// askMaster says what to look at when a minion is not there (salt 3005 to 3008,
// runners/manage.py).
const askMaster = "on the master, salt-run manage.down lists those that are down"

// hear remembers who did not answer the server.
func (t *Target) hear(ids []string) {
	for _, id := range ids {
		if t.silent == nil {
			t.silent = map[string]bool{}
		}
		if len(t.silent) < client.MaxMinions {
			t.silent[id] = true
		}
	}
}

// Settle looks for the minions that were expected, as far as that can be known by now:
// with several targets, it is enough if one of them has a minion, and of a target that did
// not come to its end, nobody knows whom it reaches. Finish does it at last.
func (r *Report) Settle() {
	reached, open := map[string]bool{}, map[string]bool{}
	for _, t := range r.Targets {
		for _, m := range t.Minions {
			if m.Status != highstate.NotReached {
				reached[m.ID] = true
			}
		}
		if !t.complete() {
			for _, id := range t.Expected {
				open[id] = true
			}
		}
	}
	for _, t := range r.Targets {
		if !t.complete() {
			continue
		}
		missing := slices.DeleteFunc(slices.Clone(t.Expected), func(id string) bool { return reached[id] || open[id] || t.missed[id] })
		if len(missing) > 0 {
			t.miss(missing)
		}
	}
}

// miss takes in that minions were not reached, and settles the verdict again.
func (t *Target) miss(ids []string) {
	if t.missed == nil {
		t.missed = map[string]bool{}
	}
	for _, id := range ids {
		t.missed[id] = true
	}
	if t.MissingMinions == Warn {
		before := t.MissedWarning()
		t.missedIDs = append(t.missedIDs, ids...)
		t.Warnings = slices.DeleteFunc(t.Warnings, func(text string) bool { return text == before })
		t.Warn(t.MissedWarning())
		return
	}
	for _, id := range ids {
		m := t.minion(id)
		if m == nil { // no more can have come; those that did not are few
			m = t.newMinion(id)
		}
		if m.Reported == nil {
			m.Status = highstate.NotReached
			m.Messages = []string{t.whyMissing(id)}
			m.details.telling = true
		}
	}
	t.settle()
}

// MissedWarning returns the warning of minions that were expected and not reached, if
// that is only worth a warning; else "".
func (t *Target) MissedWarning() string {
	if len(t.missedIDs) == 0 {
		return ""
	}
	return fmt.Sprintf("%s expected and not reached: %s; %s", were(len(t.missedIDs)), nameSome(t.missedIDs), askMaster)
}

// whyMissing says what is known of a minion that was not reached.
func (t *Target) whyMissing(id string) string {
	why := "It was expected, and the server did not find it among the minions that are concerned: it is down or slow, its key is not accepted, or it belongs to another master."
	if t.silent[id] {
		why = "It did not answer when the server asked it for its states: it is down or slow."
	}
	return why + " On the master, salt-run manage.down lists those that are down, and salt " + sanitize.Line(id) + " test.ping asks this one."
}

func were(n int) string { return plural(n, "minion") + " " + wasWere(n) }

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// Lacks reports whether it is a failure that too few minions are concerned, and why they
// are too few, if they are. It is for a highstate that has come to its end.
func (t *Target) Lacks() (failure bool, why error) {
	switch n := len(t.Minions) - t.count(highstate.NotReached); {
	case !t.Highstate:
		return false, nil
	case n == 0:
		return t.RequireMinions || t.MissingMinions != Warn && (t.Top.concerns() || t.MinMinions > 0), ErrNoMinions
	case n < t.MinMinions:
		return t.MissingMinions != Warn, &FewMinionsError{Reached: n, Min: t.MinMinions}
	}
	return false, nil
}

// nameSome names the first of some minions.
func nameSome(ids []string) string {
	names := make([]string, 0, maxNamed+1)
	for i, id := range ids {
		if i == maxNamed {
			names = append(names, "and "+human.Thousands(len(ids)-i)+" more")
			break
		}
		names = append(names, sanitize.Line(id))
	}
	return strings.Join(names, ", ")
}

// Missed returns the minions that were expected and not reached.
func (t *Target) Missed() []*Minion {
	return slices.DeleteFunc(slices.Clone(t.Minions), func(m *Minion) bool { return m.Status != highstate.NotReached })
}

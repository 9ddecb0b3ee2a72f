package report

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// SpiroFS asks all minions for their states, and applies those of the minions that
// answer. No event names a minion that is down, so the run would look complete. The
// functions here find the minions that had to be there.

// FewMinionsError means that fewer minions were reached than had to be.
type FewMinionsError struct{ Reached, Min int }

func (e *FewMinionsError) Error() string { return e.Explain().String() }

// Explain returns both numbers, and how to find the minions that are down.
func (e *FewMinionsError) Explain() fault.Parts {
	return fault.Parts{Why: fmt.Sprintf("%s reached, and %d had to be", were(e.Reached), e.Min), Help: askMaster}
}

// askMaster says how to find minions that are down (salt 3005 to 3008,
// runners/manage.py).
const askMaster = "on the master, salt-run manage.down lists those that are down"

// Settle looks for expected minions that were not reached. With several targets, it is
// enough if one of them reaches a minion. A target that has not ended yet, or not to
// its end, may still reach the minions that it expects. Finish calls Settle.
func (r *Report) Settle() {
	known := map[string]bool{} // minions that were reached, or may be
	for _, t := range r.Targets {
		for _, m := range t.Minions {
			if m.Status != highstate.NotReached {
				known[m.ID] = true
			}
		}
		if !t.complete() {
			for _, id := range t.Expected {
				known[id] = true
			}
		}
	}
	for _, t := range r.Targets {
		if !t.complete() {
			continue
		}
		missing := slices.DeleteFunc(slices.Clone(t.Expected), func(id string) bool { return known[id] })
		if !slices.Equal(missing, t.missed) {
			t.miss(missing)
		}
	}
}

// miss notes the minions that were not reached, and sets the verdict again.
func (t *Target) miss(ids []string) {
	before := t.MissedWarning()
	t.missed = ids
	if t.MissingMinions == Warn {
		t.Warnings = slices.DeleteFunc(t.Warnings, func(text string) bool { return text == before })
		if now := t.MissedWarning(); now != "" {
			t.Warn(now)
		}
		ids = nil // they fail nothing
	}
	for _, id := range ids {
		m := t.minion(id)
		if m == nil { // there are too many, and few are missing
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

// MissedWarning returns the warning about expected minions that were not reached, or ""
// if there is none.
func (t *Target) MissedWarning() string {
	if len(t.missed) == 0 || t.MissingMinions != Warn {
		return ""
	}
	return fmt.Sprintf("%s expected and not reached: %s; %s", were(len(t.missed)), sanitize.Names(t.missed), askMaster)
}

// absent says which minions a success did without, or "".
func (t *Target) absent() string {
	var few *FewMinionsError
	_, err := t.lacks()
	switch {
	case len(t.missed) > 0:
		return "; " + were(len(t.missed)) + " expected and not reached: " + sanitize.Names(t.missed)
	case errors.As(err, &few):
		return fmt.Sprintf("; %s had to be reached", human.Plural(few.Min, "minion"))
	}
	return ""
}

// whyMissing says what is known about a minion that was not reached.
func (t *Target) whyMissing(id string) string {
	why := "It was expected, and the server did not find it among the minions that are concerned: it is down or slow, its key is not accepted, or it belongs to another master."
	if t.silent[id] {
		why = "It did not answer when the server asked it for its states: it is down or slow."
	}
	return why + " On the master, salt-run manage.down lists those that are down, and salt " + sanitize.Line(id) + " test.ping asks this one."
}

func were(n int) string { return human.Count(n, "minion was", "minions were") }

// lacks returns why too few minions are concerned, and whether that is a failure. It is
// for a highstate that came to its end.
func (t *Target) lacks() (failure bool, why error) {
	switch n := len(t.Minions) - t.Count(highstate.NotReached); {
	case !t.Highstate:
		return false, nil
	case n == 0:
		return t.RequireMinions || t.MissingMinions != Warn && (t.Top.concerns() || t.MinMinions > 0), ErrNoMinions
	case n < t.MinMinions:
		return t.MissingMinions != Warn, &FewMinionsError{Reached: n, Min: t.MinMinions}
	}
	return false, nil
}

// Missed returns the expected minions that were not reached.
func (t *Target) Missed() []*Minion {
	return slices.DeleteFunc(slices.Clone(t.Minions), func(m *Minion) bool { return m.Status != highstate.NotReached })
}

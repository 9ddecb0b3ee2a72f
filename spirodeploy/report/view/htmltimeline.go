package view

import (
	"math"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// placed returns when a minion's states began, in milliseconds since the run
// did; NaN where nothing tells. Minions' clocks may differ from ours, and from
// each other's: the last state is taken to have ended when the result arrived.
// A state that does not tell its time is taken to follow the one before it.
func placed(m *report.Minion, began time.Time, states []highstate.State) []float64 {
	starts := make([]float64, len(states))
	if m.Reported == nil {
		for i := range starts {
			starts[i] = math.NaN()
		}
		return starts
	}
	const day = 24 * time.Hour
	var before, next, end time.Duration // on the minion's clock: when the last one began and ended, and the last of all ended
	known := false
	for i := range states {
		start, ok := timeOfDay(states[i].Start)
		switch {
		case !ok:
			start = next
		case known:
			// It may be past midnight, or the clock was put back: it is the one of
			// that time of day that is nearest to the start of the last one.
			start += (before - start).Round(day)
		case i > 0:
			// All before it did not tell: they were right before it.
			shift := float64(start-next) / float64(time.Millisecond)
			for j := range i {
				starts[j] += shift
			}
			end = start
		}
		known = known || ok
		before, next = start, start+time.Duration(states[i].Duration)
		end = max(end, next)
		starts[i] = float64(start) / float64(time.Millisecond)
	}
	offset := float64(m.Reported.Sub(began)-end) / float64(time.Millisecond)
	for i := range starts {
		starts[i] = math.Round(10*(starts[i]+offset)) / 10
	}
	return starts
}

// timeOfDay reads a time of the form that Salt gives, 20:41:30.123456.
func timeOfDay(s string) (time.Duration, bool) {
	t, err := time.Parse("15:04:05", s) // which takes fractions, too
	if err != nil {
		return 0, false
	}
	return t.Sub(t.Truncate(24 * time.Hour)), true
}

package view

import (
	"math"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// placed returns when a minion's states began, in milliseconds since the run began, or NaN
// if it is not known. Since clocks differ, it assumes that the last state ended when the
// result arrived, and that a state without a time followed the one before it.
func placed(m *report.Minion, began time.Time, states []highstate.State) []float64 {
	starts := make([]float64, len(states))
	if m.Reported == nil {
		for i := range starts {
			starts[i] = math.NaN()
		}
		return starts
	}
	const day = 24 * time.Hour
	var before, next, end time.Duration // on the minion's clock: begin and end of the last state, and the latest end
	known := false
	for i := range states {
		start, ok := timeOfDay(states[i].Start)
		switch {
		case !ok:
			start = next
		case known:
			// It may be past midnight, or the clock was put back. This takes the day
			// that is nearest to the start of the last state.
			start += (before - start).Round(day)
		case i > 0:
			// The states before it have no time. They ran right before it.
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

// timeOfDay reads a time in the format of Salt, 20:41:30.123456.
func timeOfDay(s string) (time.Duration, bool) {
	t, err := time.Parse("15:04:05", s) // which accepts fractions
	if err != nil {
		return 0, false
	}
	return t.Sub(t.Truncate(24 * time.Hour)), true
}

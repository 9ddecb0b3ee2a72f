package view

import (
	"encoding/json"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// maxPageData is the size of the data of the list of states and the timeline, in bytes.
const maxPageData = 6 << 20

// shelves hold states as JSON while there is room. Failed states displace changed ones,
// and these displace others.
type shelves struct {
	room int
	rows [3][]template.JS
}

func (s *shelves) put(shelf int, row template.JS) bool {
	for s.room < len(row)+1 {
		last := len(s.rows) - 1
		for last > shelf && len(s.rows[last]) == 0 {
			last--
		}
		if last <= shelf {
			return false
		}
		n := len(s.rows[last]) - 1
		s.room += len(s.rows[last][n]) + 1
		s.rows[last] = slices.Delete(s.rows[last], n, n+1)
	}
	s.room -= len(row) + 1
	s.rows[shelf] = append(s.rows[shelf], row)
	return true
}

// pageData is what page.js reads: an object up to its states, and these.
type pageData struct {
	Head template.JS
	Rows []template.JS
}

// Data returns the data of the states. Package json escapes everything that could be HTML.
func (t *pageTarget) Data() pageData {
	total := t.Totals().Total
	kept := shelves{room: maxPageData / t.of}
	minions := failedFirst(t.Target)
	ids := make([]string, len(minions)) // in the order of the table; empty for minions without states here
	full := false                       // whether there was no room for an unchanged state
	absent, why := 0, error(nil)        // states that the report does not have
	for at, m := range minions {
		c := m.Counts
		if c.Total == 0 || full && c.Failed+c.Changed+c.Pending == 0 {
			continue
		}
		r, err := t.page.results.Of(m)
		if err != nil {
			absent, why = absent+c.Total-len(r.States), err
		}
		starts, run := placed(m, t.Started, r.States), 0
		for s, because := range explained(r.States, isAny) {
			row := stateRow(at, run, s, starts[run], because)
			run++
			if !kept.put(outcomes[s.Outcome].shelf, row) {
				full = true
			} else if ids[at] == "" {
				ids[at] = pageLine(m.ID)
				kept.room -= len(ids[at])
			}
		}
	}
	rows, left := slices.Concat(kept.rows[:]...), ""
	if absent > 0 {
		left = human.Plural(absent, "state") + " are not here: " + pageText(why.Error())
	}
	if n := total - absent - len(rows); n > 0 {
		left = "Left out: " + human.Thousands(n) + " states, as there is no place for more; those that failed come first, then those that changed something. The JSON report has all."
	}
	head, _ := json.Marshal(struct {
		Total   int      `json:"total"`
		Left    string   `json:"left,omitempty"`
		Minions []string `json:"minions"`
	}{total, left, ids}) // which cannot fail
	return pageData{template.JS(strings.TrimSuffix(string(head), "}")), rows} //nolint:gosec // it is JSON
}

// stateRow returns a state as page.js reads it, without empty values at the end.
func stateRow(minion, run int, s *highstate.State, start any, because []string) template.JS {
	tree, diff := changeTexts(s.Changes)
	warnings := each(first(s.Warnings, maxPageWarnings), pageText)
	row := []any{
		minion, run, outcomes[s.Outcome].letter, pageLine(s.ID), pageLine(s.Function), s.Duration, start,
		pageLine(otherName(s)), pageLine(s.SLS), pageLine(s.Start), pageText(s.Comment), pageText(tree), pageText(diff),
	}
	switch {
	case len(because) > 0:
		row = append(row, warnings, each(because, pageLine))
	case len(warnings) > 0:
		row = append(row, warnings)
	}
	for row[len(row)-1] == "" {
		row = row[:len(row)-1]
	}
	text, _ := json.Marshal(row) // which cannot fail
	return template.JS(text)     //nolint:gosec // it is JSON
}

// placed returns when a minion's states began, in milliseconds since the run began, or nil
// if it is not known. Since clocks differ, it assumes that the last state ended when the
// result arrived, and that a state without a time followed the one before it.
func placed(m *report.Minion, began time.Time, states []highstate.State) []any {
	places := make([]any, len(states))
	if m.Reported == nil {
		return places
	}
	starts := make([]float64, len(states))
	const day = 24 * time.Hour
	var before, next, end time.Duration // on the minion's clock: begin and end of the last state, and the latest end
	known := false
	for i := range states {
		at, err := time.Parse("15:04:05", states[i].Start) // which accepts fractions, as Salt writes them
		start, ok := at.Sub(at.Truncate(day)), err == nil
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
	for i, start := range starts {
		places[i] = math.Round(10*(start+offset)) / 10
	}
	return places
}

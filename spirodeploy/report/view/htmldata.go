package view

import (
	"encoding/json"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
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
	for at, m := range minions {
		c := m.Counts
		if c.Total == 0 || full && c.Failed+c.Changed+c.Pending == 0 {
			continue
		}
		r, _ := t.page.results.Of(m) // the table shows the error
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
	if len(rows) < total {
		left = "Left out: " + human.Thousands(total-len(rows)) + " states, as there is no place for more; those that failed come first, then those that changed something. The JSON report has all."
	}
	head, _ := json.Marshal(struct {
		Total   int      `json:"total"`
		Left    string   `json:"left,omitempty"`
		Minions []string `json:"minions"`
	}{total, left, ids}) // which cannot fail
	return pageData{template.JS(strings.TrimSuffix(string(head), "}")), rows} //nolint:gosec // it is JSON
}

// stateRow returns a state as page.js reads it, without empty values at the end.
func stateRow(minion, run int, s *highstate.State, start float64, because []string) template.JS {
	tree, diff := changeTexts(s.Changes)
	name := s.Name
	if name == s.ID {
		name = ""
	}
	warnings := each(first(s.Warnings, maxPageWarnings), pageText)
	var at any // null if it is not known
	if !math.IsNaN(start) {
		at = start
	}
	row := []any{
		minion, run, outcomes[s.Outcome].letter, pageLine(s.ID), pageLine(s.Function), s.Duration, at,
		pageLine(name), pageLine(s.SLS), pageLine(s.Start), pageText(s.Comment), pageText(tree), pageText(diff),
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

package view

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"

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
	rows [3][][]byte
}

func (s *shelves) put(shelf int, row []byte) bool {
	for size := len(row) + 1; s.room < size; {
		last := len(s.rows) - 1
		for last > shelf && len(s.rows[last]) == 0 {
			last--
		}
		if last <= shelf {
			return false
		}
		s.take(last)
	}
	s.room -= len(row) + 1
	s.rows[shelf] = append(s.rows[shelf], row)
	return true
}

// take removes a state from a shelf that is not empty.
func (s *shelves) take(shelf int) {
	rows := s.rows[shelf]
	last := len(rows) - 1
	s.room += len(rows[last]) + 1
	rows[last] = nil
	s.rows[shelf] = rows[:last]
}

// states writes the data of a target's states. Package json escapes everything that could
// be HTML.
func (p *pageWriter) states(t *report.Target, of int) {
	total := t.Totals().Total
	kept := shelves{room: maxPageData / of}
	var ids []string // in the order of the table; empty for minions without states here
	full := false    // whether there was no room for an unchanged state
	for m := range failedFirst(t) {
		ids = append(ids, "")
		c := m.Counts
		if c.Total == 0 || full && c.Failed+c.Changed+c.Pending == 0 {
			continue
		}
		r, _ := p.results.Of(m) // the table shows the error
		starts, causes := placed(m, t.Started, r.States), causesOf(r.States)
		for i := range r.States {
			row := stateRow(len(ids)-1, i, &r.States[i], starts[i], pageTexts(causes.because(&r.States[i]), maxCauses+1, pageLine))
			if !kept.put(outcomes[r.States[i].Outcome].shelf, row) {
				full = true
				continue
			}
			if ids[len(ids)-1] == "" {
				ids[len(ids)-1] = pageLine(m.ID)
				kept.room -= len(ids[len(ids)-1])
			}
		}
	}
	left, shown := "", len(kept.rows[0])+len(kept.rows[1])+len(kept.rows[2])
	if shown < total {
		left = "Left out: " + human.Thousands(total-shown) + " states, as there is no place for more; those that failed come first, then those that changed something. The JSON report has all."
	}
	head := struct {
		Total   int      `json:"total"`
		Left    string   `json:"left,omitempty"`
		Minions []string `json:"minions"`
	}{total, left, ids}
	text, _ := json.Marshal(head) // which cannot fail
	p.text(`<script type="application/json">` + strings.TrimSuffix(string(text), "}") + `,"states":[`)
	_, _ = p.out.Write(bytes.Join(slices.Concat(kept.rows[:]...), []byte(",\n")))
	p.text("]}</script>\n")
}

// stateRow returns a state as page.js reads it, without empty values at the end.
func stateRow(minion, run int, s *highstate.State, start float64, because []string) []byte {
	tree, diff := changeTexts(s.Changes)
	name := s.Name
	if name == s.ID {
		name = ""
	}
	warnings := pageTexts(s.Warnings, maxPageWarnings, pageText)
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
		row = append(row, warnings, because)
	case len(warnings) > 0:
		row = append(row, warnings)
	}
	for row[len(row)-1] == "" {
		row = row[:len(row)-1]
	}
	text, _ := json.Marshal(row) // which cannot fail
	return text
}

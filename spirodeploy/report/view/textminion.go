package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// minions writes each minion in full. It stops if the printer is full.
func (x *text) minions() {
	good, bad := split(x.Minions, (*report.Minion).OK)
	for i, m := range slices.Concat(good, bad) { // failures are next to the verdict
		s := x.section(i+1, &group{minions: []*report.Minion{m}})
		x.begin(s)
		x.minion(m)
		x.end(s)
		if x.full() {
			return
		}
	}
}

// section returns the section of the log for a group.
func (x *text) section(n int, g *group) section {
	m := g.first()
	s := section{
		name: sectionName(x.Title(), strconv.Itoa(n), m.ID), minions: g.names(maxNames, oneLine), outcome: g.outcome(),
		color: minionColor(m), open: !m.OK(), end: x.Finished,
	}
	if m.Reported != nil {
		s.end = *m.Reported
	}
	s.start = s.end.Add(-time.Duration(m.Counts.Duration))
	return s
}

// minionColor returns the colour of the worst that a minion did.
func minionColor(m *report.Minion) color {
	switch {
	case !m.OK():
		return inRed
	case m.Counts.Pending > 0:
		return inYellow
	case m.Counts.Changed > 0:
		return inCyan
	}
	return inGreen
}

// minion writes the result of a minion below its name.
func (x *text) minion(m *report.Minion) {
	if m.Status == highstate.Unreported {
		x.print(inRed, "    did not report")
		return
	}
	read, shows := x.results.Telling, (*highstate.State).Telling
	if x.Detail == Verbose {
		read, shows = x.results.Of, isAny
	}
	r, err := read(m)
	if err != nil {
		x.print(inYellow, "    what its states did is missing: "+sanitize.Line(err.Error()))
	}
	for _, msg := range r.Messages {
		x.hang(minionColor(m), "    ", "    ", shown(msg))
	}
	for s, because := range explained(r.States, shows) {
		x.state(s, because)
		if x.full() {
			return
		}
	}
	x.counts(m)
	if x.Detail == Verbose {
		x.slowest(r.States)
	}
}

// counts writes the counts of a minion.
func (p *printer) counts(m *report.Minion) {
	c := m.Counts
	if c.Total == 0 {
		return
	}
	const rule = "    -------------"
	failed := inCyan
	if c.Failed > 0 {
		failed = inRed
	}
	lines := []line{{inCyan, "    Summary for " + sanitize.Line(m.ID)}, {inCyan, rule}, {inGreen, "    " + succeeded(c)}, {failed, fmt.Sprintf("    Failed:    %d", c.Failed)}}
	if m.Status == highstate.Failed && c.Failed == 0 {
		lines = append(lines, line{inRed, fmt.Sprintf("    Salt's return code: %d", m.Retcode)})
	}
	p.all(append(lines, line{inCyan, rule}, line{inCyan, fmt.Sprintf("    Total states run:     %d", c.Total)}, line{inCyan, "    Total run time:    " + seconds(c.Duration)}))
}

// succeeded returns Salt's line for states that succeeded.
func succeeded(c highstate.Counts) string {
	text := fmt.Sprintf("Succeeded: %d", c.Succeeded)
	pending := ifAny(c.Pending, fmt.Sprintf("unchanged=%d", c.Pending)) // Salt's word for what would change
	if of := joined(", ", pending, ifAny(c.Changed, fmt.Sprintf("changed=%d", c.Changed))); of != "" {
		text += " (" + of + ")"
	}
	return text
}

// slowest writes which states took longest, if any took notably long.
func (p *printer) slowest(states []highstate.State) {
	const (
		most    = 5
		notable = highstate.Milliseconds(time.Second / 2)
	)
	var slow []*highstate.State
	for i := range states {
		if states[i].Duration >= notable {
			slow = append(slow, &states[i])
		}
	}
	if len(slow) == 0 {
		return
	}
	slices.SortStableFunc(slow, func(a, b *highstate.State) int { return cmp.Compare(b.Duration, a.Duration) })
	p.print(inCyan, "    Slowest states:")
	for _, s := range first(slow, most) {
		p.print(inCyan, fmt.Sprintf("    %10s  %s %s", seconds(s.Duration), sanitize.Line(s.Function), oneLine(s.ID)))
	}
}

// Layout of the fields of a state: names end in one column, and values begin in another.
const (
	fieldName = "    %12s: "
	fieldPad  = "                  "
)

// state writes a state as Salt's highstate outputter does, without empty fields, and why
// it did not run.
func (p *printer) state(s *highstate.State, because []string) {
	c := outcomes[s.Outcome].color
	field := func(c color, name, value string) {
		if value = strings.TrimSpace(shown(value)); value != "" {
			p.hang(c, fmt.Sprintf(fieldName, name), fieldPad, value)
		}
	}
	p.print(c, "    ----------")
	field(c, "ID", s.ID)
	field(c, "Function", s.Function)
	field(c, "Name", otherName(s))
	field(c, "SLS", s.SLS)
	field(c, "Result", outcomes[s.Outcome].result)
	field(c, "Comment", s.Comment)
	for _, cause := range because {
		field(c, "Because", cause)
	}
	for _, warning := range s.Warnings {
		field(inYellow, "Warning", warning)
	}
	field(c, "Duration", seconds(s.Duration))
	for i, l := range changeLines(s.Changes, c) {
		head := fieldPad
		switch {
		case i == 0:
			head = fmt.Sprintf(fieldName, "Changes")
		case l.text == "":
			head = ""
		}
		p.print(l.color, head+l.text)
	}
}

// shown returns the beginning of a text. The JSON report has all of it.
func shown(s string) string { return sanitize.Text(sanitize.Clip(s, maxShown)) }

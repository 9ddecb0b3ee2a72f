package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// writeMinions writes each minion in full. It stops when the printer is full.
func (t *Target) writeMinions(p *printer, verbose bool) {
	var buf []byte
	n := 0
	for _, failing := range []bool{false, true} { // those that failed are nearest to the verdict
		for _, m := range t.Minions {
			if m.OK() == failing {
				continue
			}
			n++
			s := t.section(n, &group{minions: []*Minion{m}})
			p.begin(s)
			p.minion(m, verbose, &buf)
			p.end(s)
			if p.full() {
				return
			}
		}
	}
}

// section returns the part of the log for a group.
func (t *Target) section(n int, g *group) section {
	m := g.first()
	s := section{
		name: sectionName(t.title(), strconv.Itoa(n), m.ID), minions: g.names(maxNames, oneLine), outcome: g.outcome(),
		color: m.color(), open: !m.OK(), end: t.Finished,
	}
	if m.Reported != nil {
		s.end = *m.Reported
	}
	s.start = s.end.Add(-time.Duration(m.Counts.Duration))
	return s
}

// color is that of the worst that a minion did.
func (m *Minion) color() color {
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

// outcome says in a few words how a minion did.
func (m *Minion) outcome() string {
	switch {
	case m.OK():
		return succeeded(m.Counts)
	case m.Status == highstate.NoAnswer:
		return "did not answer"
	case m.Status == highstate.Unreported:
		return "did not report"
	case m.Status == highstate.NotReached:
		return "was not reached"
	case m.Counts.Total == 0:
		return "Failed: no state ran"
	case m.Counts.Failed == 0:
		return fmt.Sprintf("Failed: Salt's return code is %d", m.Retcode)
	}
	return fmt.Sprintf("Failed: %d of %d", m.Counts.Failed, m.Counts.Total)
}

// minion writes what there is to say of a minion below its name.
func (p *printer) minion(m *Minion, verbose bool, buf *[]byte) {
	if m.Status == highstate.Unreported {
		p.print(inRed, "    did not report")
		return
	}
	read := m.readTelling
	if verbose {
		read = m.read
	}
	r, err := read(buf)
	if err != nil {
		p.print(inYellow, "    what its states did is missing: "+sanitize.Line(err.Error()))
	}
	for _, msg := range r.Messages {
		p.hang(m.color(), "    ", "    ", shown(msg))
	}
	causes := causesOf(r.States)
	for i := range r.States {
		if s := &r.States[i]; verbose || s.Telling() {
			p.state(s, causes.because(s))
		}
		if p.full() {
			return
		}
	}
	p.counts(m)
	if verbose {
		p.slowest(r.States)
	}
}

// counts writes the numbers of a minion.
func (p *printer) counts(m *Minion) {
	c := m.Counts
	if c.Total == 0 {
		return
	}
	const rule = "    -------------"
	failed := inCyan
	if c.Failed > 0 {
		failed = inRed
	}
	p.print(inCyan, "    Summary for "+sanitize.Line(m.ID))
	p.print(inCyan, rule)
	p.print(inGreen, "    "+succeeded(c))
	p.print(failed, fmt.Sprintf("    Failed:    %d", c.Failed))
	if m.Status == highstate.Failed && c.Failed == 0 {
		p.print(inRed, fmt.Sprintf("    Salt's return code: %d", m.Retcode))
	}
	p.print(inCyan, rule)
	p.print(inCyan, fmt.Sprintf("    Total states run:     %d", c.Total))
	p.print(inCyan, "    Total run time:    "+seconds(c.Duration))
}

// succeeded returns Salt's line for states that succeeded, with its words.
func succeeded(c highstate.Counts) string {
	var of []string
	if c.Pending > 0 {
		of = append(of, fmt.Sprintf("unchanged=%d", c.Pending)) // Salt's word for what would change
	}
	if c.Changed > 0 {
		of = append(of, fmt.Sprintf("changed=%d", c.Changed))
	}
	text := fmt.Sprintf("Succeeded: %d", c.Succeeded)
	if len(of) > 0 {
		text += " (" + strings.Join(of, ", ") + ")"
	}
	return text
}

// slowest writes which states took most of the time, if any took a notable one.
func (p *printer) slowest(states []highstate.State) {
	const (
		most    = 5
		notable = highstate.Milliseconds(time.Second / 2)
	)
	var slow []*highstate.State
	for i := range states {
		if states[i].Duration < notable {
			continue
		}
		slow = append(slow, &states[i])
		slices.SortStableFunc(slow, func(a, b *highstate.State) int { return cmp.Compare(b.Duration, a.Duration) })
		slow = slow[:min(len(slow), most)]
	}
	if len(slow) == 0 {
		return
	}
	p.print(inCyan, "    Slowest states:")
	for _, s := range slow {
		p.print(inCyan, fmt.Sprintf("    %10s  %s %s", seconds(s.Duration), sanitize.Line(s.Function), oneLine(s.ID)))
	}
}

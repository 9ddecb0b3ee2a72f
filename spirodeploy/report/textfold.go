package report

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// folder writes groups of minions, each with a line for a state, into a number
// of lines.
type folder struct {
	*printer
	room int // lines that are left
	buf  []byte

	minions, states int // that were left out
}

// minGroup is how many lines a group takes at least: its names, a state that
// failed with its reason, how many more there are, its numbers, and its end.
const minGroup = 6

// maxNames is how many minions of a group are named.
const maxNames = 4

// writeFolded writes the groups into no more than so many lines.
func (t *Target) writeFolded(p *printer, groups []*group, most int) {
	f := folder{printer: p, room: most - 2, minions: len(t.Minions)} // two for the note
	shown := chosen(groups, f.room/minGroup)
	for i, g := range shown {
		f.minions -= len(g.minions)
		before := p.lines
		s := t.section(i+1, g)
		p.begin(s)
		f.group(g, f.room/(len(shown)-i)-3) // its names, its numbers, its end
		p.end(s)
		f.room -= p.lines - before
	}
	f.note()
}

// note says what is left out, and where it is.
func (f *folder) note() {
	var left []string
	if f.minions > 0 {
		left = append(left, plural(f.minions, "minion"))
	}
	if f.states > 0 {
		left = append(left, plural(f.states, "state"))
	}
	text := "Folded"
	if len(left) > 0 {
		text += ", and " + strings.Join(left, " and ") + " left out"
	}
	f.print("", text+": --verbose or --report html=FILE shows all.")
	f.print("", "")
}

// group writes what minions did, in so many lines, and their numbers.
func (f *folder) group(g *group, room int) {
	m := g.first()
	if m.Status == highstate.Unreported {
		f.print(inRed, "    did not report")
		return
	}
	r, err := m.readTelling(&f.buf)
	if err != nil {
		f.print(inYellow, "    what the states did is missing: "+oneLine(err.Error()))
		room--
	}
	for _, l := range messageLines(r.Messages, m.color(), room) {
		f.print(l.color, l.text)
		room--
	}
	f.statesOf(g, r.States, room)
	f.sum(g)
}

// sum writes the numbers of one minion of a group, which are those of the others.
func (f *folder) sum(g *group) {
	c := g.first().Counts
	if c.Total == 0 {
		return
	}
	text := fmt.Sprintf("    %s, Failed: %d", succeeded(c), c.Failed)
	if g.mixed {
		text = fmt.Sprintf("    Failed alike: %d (what else they did differs)", c.Failed)
	}
	if m := g.first(); m.Status == highstate.Failed && c.Failed == 0 {
		text += fmt.Sprintf(", Salt's return code: %d", m.Retcode)
	}
	upTo := ""
	if len(g.minions) > 1 {
		upTo = "up to "
	}
	f.print(g.first().color(), text+", in "+upTo+seconds(g.longest))
}

// statesOf writes the states of a group into so many lines, those that failed last.
func (f *folder) statesOf(g *group, states []highstate.State, room int) {
	var bad, others []*highstate.State
	for i := range states {
		switch s := &states[i]; {
		case s.Outcome == highstate.Bad:
			bad = append(bad, s)
		case s.Telling() && !g.mixed:
			others = append(others, s)
		}
	}
	causes := causesOf(states)
	render := func(s *highstate.State) []line { return foldedState(s, causes.because(s)) }
	reserve := min(len(others), 1)
	badLines, badLeft := fit(bad, room-reserve, render)
	rest := room - len(badLines)
	if badLeft > 0 {
		rest--
	}
	lines, left := fit(others, rest, render)
	f.all(lines)
	f.more(left, "that changed or warns", "that changed or warn", "")
	f.all(badLines)
	f.more(badLeft, "that failed", "that failed", inRed)
	f.states += left + badLeft
}

func (f *folder) more(n int, one, many string, c color) {
	if n > 0 {
		f.print(c, "    … and "+human.Count(n, "more state "+one, "more states "+many))
	}
}

// fit renders what fits into a number of lines, of which one is kept for how
// many are left.
func fit(states []*highstate.State, room int, render func(*highstate.State) []line) (lines []line, left int) {
	for i, s := range states {
		next := render(s)
		free := room - len(lines)
		if i < len(states)-1 {
			free--
		}
		switch {
		case len(next) <= free:
		case len(lines) == 0 && free > 0:
			next = next[:free]
		default:
			return lines, len(states) - i
		}
		lines = append(lines, next...)
	}
	return lines, 0
}

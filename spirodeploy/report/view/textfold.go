package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// folder writes groups of minions, and each state in a line, into a number of lines.
type folder struct {
	*text
	room            int // lines that are left
	minions, states int // left out
}

// minGroup is how many lines a group needs: its names, a failed state and its reason, how
// many more there are, its counts, and its end.
const minGroup = 6

// maxNames is how many minions of a group are named.
const maxNames = 4

// folded writes groups into up to so many lines.
func (x *text) folded(groups []*group, most int) {
	f := folder{text: x, room: most - 2, minions: len(x.Minions)} // two lines for the note
	shown := chosen(groups, f.room/minGroup)
	for i, g := range shown {
		f.minions -= len(g.minions)
		before := f.lines
		s := x.section(i+1, g)
		f.begin(s)
		f.group(g, f.room/(len(shown)-i)-3) // names, counts and end
		f.end(s)
		f.room -= f.lines - before
	}
	f.note()
}

// note says what is left out, and how to see it.
func (f *folder) note() {
	text := "Folded, "
	if left := joined(" and ", ifAny(f.minions, human.Plural(f.minions, "minion")), ifAny(f.states, human.Plural(f.states, "state"))); left != "" {
		text += "without " + left + ", and "
	}
	text += "without SLS, times and diffs"
	help := showAll
	if f.spell == nil {
		help = "{verbose} shows all"
	}
	if help := help.Spell(f.spell); help != "" {
		text += ": " + help
	}
	f.print("", text+".")
	f.print("", "")
}

// showAll says how to see what a folded text leaves out.
const showAll fault.Hint = "{verbose} or {report=}html=FILE shows all"

// group writes what minions did, in so many lines, and their counts.
func (f *folder) group(g *group, room int) {
	m := g.first()
	if g.silent() {
		f.print(inRed, "    did not report")
		return
	}
	r, err := f.results.Telling(m)
	if err != nil {
		f.print(inYellow, "    what the states did is missing: "+oneLine(err.Error()))
		room--
	}
	messages := messageLines(r.Messages, minionColor(m), room)
	f.all(messages)
	f.statesOf(g, r.States, room-len(messages))
	f.sum(g)
}

// sum writes the counts, which all minions of a group share.
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
	f.print(minionColor(g.first()), text+", in "+upTo+seconds(g.longest))
}

// statesOf writes the states of a group into so many lines, and failed ones last.
func (f *folder) statesOf(g *group, states []highstate.State, room int) {
	var bad, others []*highstate.State
	for i := range states {
		switch s := &states[i]; {
		case isBad(s):
			bad = append(bad, s)
		case s.Telling() && !g.mixed:
			others = append(others, s)
		}
	}
	causes := causesOf(states)
	render := func(s *highstate.State) []line { return foldedState(s, causes.because(s)) }
	badLines, badLeft := fit(bad, room-min(len(others), 1), render, func(n int) line {
		return line{inRed, "    … and " + human.Plural(n, "more state") + " that failed"}
	})
	lines, left := fit(others, room-len(badLines), render, func(n int) line {
		return line{"", "    … and " + human.Count(n, "more state that changed or warns", "more states that changed or warn")}
	})
	f.all(slices.Concat(lines, badLines))
	f.states += left + badLeft
	if g.mixed { // what else each minion did
		for _, m := range g.minions {
			f.states += m.Counts.Changed + m.Counts.Pending
		}
	}
}

// fit renders the states that fit into a number of lines. A line says how many are left.
func fit(states []*highstate.State, room int, render func(*highstate.State) []line, more func(left int) line) (lines []line, left int) {
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
			left = len(states) - i
			return append(lines, more(left)), left
		}
		lines = append(lines, next...)
	}
	return lines, 0
}

// Sizes in a folded summary.
const (
	maxFolded   = 300 // of a line, in bytes
	maxComment  = 4   // lines of a comment
	maxStderr   = 3   // last lines of the output of a command
	maxWarnings = 2   // of a state
	foldedPad   = "                 "
)

// foldedState returns a line for a state, and lines for its warnings and for the reason
// if it failed.
func foldedState(s *highstate.State, because []string) []line {
	c := outcomes[s.Outcome].color
	text := fmt.Sprintf("    %-12s %-16s %s", outcomes[s.Outcome].word, foldedLine(s.Function), foldedLine(s.ID))
	if name := otherName(s); name != "" {
		text += " (" + foldedLine(name) + ")"
	}
	if brief := diffBrief(s.Changes); brief != "" {
		text += " " + brief
	}
	lines := []line{{c, text}}
	for _, warning := range first(s.Warnings, maxWarnings) {
		lines = append(lines, line{inYellow, foldedPad + "Warning: " + foldedLine(warning)})
	}
	if !isBad(s) {
		return lines
	}
	return append(lines, each(foldedReason(s, because), func(why string) line { return line{c, foldedPad + why} })...)
}

// foldedReason says in a few lines why a state failed.
func foldedReason(s *highstate.State, because []string) []string {
	switch {
	case len(because) > 0:
		return each(because, func(cause string) string { return "Because: " + foldedLine(cause) })
	case s.LacksSLS():
		return []string{foldedLine(s.Reason())}
	}
	var lines []string
	for text := range strings.SplitSeq(strings.TrimSpace(s.Comment), "\n") {
		if len(lines) == maxComment {
			break
		}
		if text = foldedLine(text); text != "" {
			lines = append(lines, text)
		}
	}
	said := strings.Split(s.Stderr(), "\n")
	for _, text := range said[max(0, len(said)-maxStderr):] {
		if text != "" {
			lines = append(lines, "stderr: "+foldedLine(text))
		}
	}
	if len(lines) == 0 {
		return []string{s.Reason()}
	}
	return lines
}

// foldedLine returns the beginning of the first line of a text.
func foldedLine(s string) string {
	text, _, more := strings.Cut(sanitize.LF(strings.TrimSpace(s)), "\n")
	text = sanitize.Line(sanitize.Clip(text, maxFolded))
	if more {
		text += " …"
	}
	return text
}

// messageLines returns the messages of Salt in so many lines.
func messageLines(messages []string, c color, room int) []line {
	var lines []line
	left := 0
	for _, msg := range messages {
		for text := range strings.SplitSeq(trimRight(sanitize.LF(sanitize.Clip(msg, maxShown))), "\n") {
			if len(lines) == room-1 {
				left++
				continue
			}
			if text != "" {
				text = "    " + sanitize.Text(sanitize.Clip(text, maxFolded))
			}
			lines = append(lines, line{c, text})
		}
	}
	if left > 0 {
		lines = append(lines, line{c, "    … and " + human.Plural(left, "more line")})
	}
	return lines
}

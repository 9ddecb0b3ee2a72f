package view

import (
	"html"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

type (
	// pageFailure is minions that did not succeed, in the same way.
	pageFailure struct {
		Names        []string
		Rest, Status string
		All          []string // names, if Names has not all
		Left         string
		Several      bool
		Messages     []string
		States       []pageState
	}
	// pageState is a state that failed.
	pageState struct {
		ID, Function, Name, SLS, Duration, Comment, Tree string
		Because, Warnings                                []string
		Diff                                             []diffLine
		Open                                             bool
	}
	diffLine struct{ Colour, Text string }
)

// failures writes what failed, which is to be read without scripts, too: as much
// as there is room for.
func (p *pageWriter) failures(t *report.Target, of int) {
	states, room, opened, names, left := maxPageFailures/of, maxPageFirst/of, maxPageOpen, maxPageMinions/of, 0
	for _, g := range failuresOf(t) {
		if states <= 0 || room <= 0 {
			left += len(g.minions)
			continue
		}
		f := p.failure(g.first(), states)
		f.name(g, names)
		names -= len(f.All)
		for i := range f.States {
			f.States[i].Open = i < opened
		}
		opened -= len(f.States)
		p.part("failure", f)
		states -= 1 + len(f.States)
		room -= f.size()
	}
	if left > 0 {
		p.text(`<p class="soft">` + html.EscapeString(leftOut(left, "minion", "for which there is no place here; the list of states may have what they did")) + "</p>\n")
	}
}

// name fills in who it was. It names no more than so many.
func (f *pageFailure) name(g *group, most int) {
	f.Names, f.Rest = g.named(maxNames, pageLine)
	n := len(g.minions)
	f.Several = n > 1
	if n <= maxNames || most <= 0 {
		return
	}
	for _, m := range g.minions[:min(n, most)] {
		f.All = append(f.All, pageLine(m.ID))
	}
	f.Left = leftOut(n-len(f.All), "minion", "which have no place here")
}

// failure returns what is to be shown of a minion that failed, with no more than
// so many states.
func (p *pageWriter) failure(m *report.Minion, most int) pageFailure {
	f := pageFailure{Status: statusWords[m.Status]}
	if m.Status == highstate.Unreported {
		return f
	}
	r, err := p.results.Telling(m)
	if err != nil {
		f.Messages = append(f.Messages, pageText("what its states did is missing: "+err.Error()))
	}
	for i, message := range r.Messages {
		if i == maxPageWarnings {
			break
		}
		f.Messages = append(f.Messages, pageText(message))
	}
	causes := causesOf(r.States)
	for i := range r.States {
		s := &r.States[i]
		if s.Outcome != highstate.Bad {
			continue
		}
		if len(f.States) == most {
			f.Messages = append(f.Messages, "More of its states failed than there is place for here.")
			break
		}
		f.States = append(f.States, newPageState(s, pageLines(causes.because(s))))
	}
	if len(r.States) > 0 && m.Counts.Failed == 0 {
		f.Messages = append(f.Messages, "No state failed, but Salt says that the highstate did.")
	}
	return f
}

func newPageState(s *highstate.State, because []string) pageState {
	tree, diff := changeTexts(s.Changes)
	v := pageState{
		ID: pageLine(s.ID), Function: pageLine(s.Function), SLS: pageLine(s.SLS), Duration: seconds(s.Duration),
		Comment: strings.TrimSpace(pageText(s.Comment)), Tree: pageText(tree), Diff: diffLines(pageText(diff)), Because: because,
	}
	if s.Name != s.ID {
		v.Name = pageLine(s.Name)
	}
	for i, warning := range s.Warnings {
		if i == maxPageWarnings {
			break
		}
		v.Warnings = append(v.Warnings, pageText(warning))
	}
	return v
}

// maxPageWarnings is how many warnings of a state, and messages of a minion, are shown.
const maxPageWarnings = 10

// size returns about what it takes of the page.
func (f *pageFailure) size() int {
	n := 0
	for _, texts := range [][]string{f.Messages, f.All} {
		n += sizeOf(texts)
	}
	for _, s := range f.States {
		n += sizeOf(s.Because) + sizeOf(s.Warnings)
		n += len(s.ID) + len(s.Name) + len(s.Comment) + len(s.Tree)
		for _, l := range s.Diff {
			n += len(l.Text)
		}
	}
	return n
}

func sizeOf(texts []string) int {
	n := 0
	for _, text := range texts {
		n += len(text)
	}
	return n
}

// diffLines tells apart the lines of a diff.
func diffLines(diff string) []diffLine {
	if diff == "" {
		return nil
	}
	var lines []diffLine
	for text := range strings.SplitSeq(sanitize.Text(diff), "\n") {
		colour := ""
		switch {
		case strings.HasPrefix(text, "+++"), strings.HasPrefix(text, "---"), strings.HasPrefix(text, "@@"):
			colour = "place"
		case strings.HasPrefix(text, "+"):
			colour = "added"
		case strings.HasPrefix(text, "-"):
			colour = "removed"
		}
		lines = append(lines, diffLine{colour, text})
	}
	return lines
}

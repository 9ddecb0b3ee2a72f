package view

import (
	"html"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

type (
	// pageFailure is minions that failed in the same way.
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
		*highstate.State
		Because, Warned []string
		Tree            string
		Diff            []diffLine
		Open            bool
	}
	diffLine struct{ Colour, Text string }
)

// failures writes what failed, as far as there is room. It works without scripts.
func (p *pageWriter) failures(t pageTarget) {
	states, room, opened, names, left := maxPageFailures/t.of, maxPageFirst/t.of, maxPageOpen, maxPageMinions/t.of, 0
	for _, g := range failuresOf(t.Target) {
		if states <= 0 || room <= 0 {
			left += len(g.minions)
			continue
		}
		f := p.failure(g, states)
		if n := len(g.minions); n > maxNames && names > 0 {
			for _, m := range g.minions[:min(n, names)] {
				f.All = append(f.All, pageLine(m.ID))
			}
			f.Left = leftOut(n-len(f.All), "minion", "which have no place here")
		}
		names -= len(f.All)
		for i := range f.States {
			f.States[i].Open = i < opened
		}
		opened -= len(f.States)
		states -= 1 + len(f.States)
		room -= p.part("failure", f)
	}
	if left > 0 {
		p.text(`<p class="soft">` + html.EscapeString(leftOut(left, "minion", "for which there is no place here; the list of states may have what they did")) + "</p>\n")
	}
}

// failure returns what a page shows of minions that failed, with up to so many states.
func (p *pageWriter) failure(g *group, most int) pageFailure {
	m := g.first()
	f := pageFailure{Status: statusWords[m.Status], Several: len(g.minions) > 1}
	f.Names, f.Rest = g.named(maxNames, pageLine)
	if m.Status == highstate.Unreported {
		return f
	}
	r, err := p.results.Telling(m)
	if err != nil {
		f.Messages = append(f.Messages, pageText("what its states did is missing: "+err.Error()))
	}
	f.Messages = append(f.Messages, pageTexts(r.Messages, maxPageWarnings, pageText)...)
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
		tree, diff := changeTexts(s.Changes)
		f.States = append(f.States, pageState{
			State: s, Tree: pageText(tree), Diff: diffLines(pageText(diff)), Because: pageTexts(causes.because(s), maxCauses+1, pageLine),
			Warned: pageTexts(s.Warnings, maxPageWarnings, pageText),
		})
	}
	if len(r.States) > 0 && m.Counts.Failed == 0 {
		f.Messages = append(f.Messages, "No state failed, but Salt says that the highstate did.")
	}
	return f
}

// diffLines colours the lines of a diff.
func diffLines(diff string) []diffLine {
	if diff == "" {
		return nil
	}
	var lines []diffLine
	for text := range strings.SplitSeq(sanitize.Text(diff), "\n") {
		colour := ""
		for _, c := range []diffLine{{"place", "+++"}, {"place", "---"}, {"place", "@@"}, {"added", "+"}, {"removed", "-"}} {
			if strings.HasPrefix(text, c.Text) {
				colour = c.Colour
				break
			}
		}
		lines = append(lines, diffLine{colour, text})
	}
	return lines
}

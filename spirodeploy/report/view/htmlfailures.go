package view

import (
	"iter"
	"strings"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

type (
	// pageFailure is minions that failed in the same way.
	pageFailure struct {
		Names        []string
		Rest, Status string
		N            int
		All          []*report.Minion // if Names has not all
		Messages     []string
		States       []pageState
		Opened       int // of the states
	}
	// pageState is a state that failed.
	pageState struct {
		*highstate.State
		Because, Warned []string
		Tree, Diff      string
	}
)

// Failures yields what failed, as far as there is room. It works without scripts.
func (t *pageTarget) Failures() iter.Seq[pageFailure] {
	return func(yield func(pageFailure) bool) {
		states, room, opened, names := maxPageFailures/t.of, maxPageFirst/t.of, maxPageOpen, maxPageMinions/t.of
		for _, g := range failuresOf(t.Target) {
			if states <= 0 || room <= 0 {
				t.Unshown += len(g.minions)
				continue
			}
			f := t.failure(g, states)
			if f.N > maxNames && names > 0 {
				f.All = first(g.minions, names)
			}
			names -= len(f.All)
			f.Opened = opened
			opened -= len(f.States)
			states -= 1 + len(f.States)
			before := t.page.written
			if !yield(f) {
				return
			}
			room -= t.page.written - before
		}
	}
}

// failure returns what a page shows of minions that failed, with up to so many states.
func (t *pageTarget) failure(g *group, most int) pageFailure {
	m := g.first()
	f := pageFailure{Status: statuses[m.Status].Words, N: len(g.minions)}
	f.Names, f.Rest = g.named(maxNames, pageLine)
	if g.silent() {
		return f
	}
	r, err := t.page.results.Telling(m)
	if err != nil {
		f.Messages = append(f.Messages, "what its states did is missing: "+err.Error())
	}
	f.Messages = append(f.Messages, first(r.Messages, maxPageWarnings)...)
	for s, because := range explained(r.States, isBad) {
		if len(f.States) == most {
			f.Messages = append(f.Messages, "More of its states failed than there is place for here.")
			break
		}
		tree, diff := changeTexts(s.Changes)
		f.States = append(f.States, pageState{State: s, Because: because, Warned: first(s.Warnings, maxPageWarnings), Tree: pageText(tree), Diff: pageText(diff)})
	}
	if len(r.States) > 0 && m.Counts.Failed == 0 {
		f.Messages = append(f.Messages, "No state failed, but Salt says that the highstate did.")
	}
	return f
}

// diffClass returns the class of a line of a diff.
func diffClass(line string) string {
	for _, c := range [][2]string{{"+++", "place"}, {"---", "place"}, {"@@", "place"}, {"+", "added"}, {"-", "removed"}} {
		if strings.HasPrefix(line, c[0]) {
			return c[1]
		}
	}
	return ""
}

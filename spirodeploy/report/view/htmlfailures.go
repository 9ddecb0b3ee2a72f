package view

import (
	"iter"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
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
		Diff            []string // lines
		Open            bool
	}
)

// Failures yields what failed, as far as there is room. It works without scripts.
func (t *pageTarget) Failures() iter.Seq[pageFailure] {
	return func(yield func(pageFailure) bool) {
		states, room, opened, names := maxPageFailures/t.of, maxPageFirst/t.of, maxPageOpen, maxPageMinions/t.of
		for _, g := range failuresOf(t.Target) {
			if states <= 0 || room <= 0 {
				t.unshown += len(g.minions)
				continue
			}
			f := t.failure(g, states)
			if n := len(g.minions); n > maxNames && names > 0 {
				f.All = each(first(g.minions, names), func(m *report.Minion) string { return pageLine(m.ID) })
				f.Left = leftOut(n-len(f.All), "minion", "which have no place here")
			}
			names -= len(f.All)
			for i := range f.States {
				f.States[i].Open = i < opened
			}
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

// Unshown says how many minions had no place in Failures.
func (t *pageTarget) Unshown() string {
	return leftOut(t.unshown, "minion", "for which there is no place here; the list of states may have what they did")
}

// failure returns what a page shows of minions that failed, with up to so many states.
func (t *pageTarget) failure(g *group, most int) pageFailure {
	m := g.first()
	f := pageFailure{Status: statuses[m.Status].Words, Several: len(g.minions) > 1}
	f.Names, f.Rest = g.named(maxNames, pageLine)
	if g.silent() {
		return f
	}
	r, err := t.page.results.Telling(m)
	if err != nil {
		f.Messages = append(f.Messages, pageText("what its states did is missing: "+err.Error()))
	}
	f.Messages = append(f.Messages, each(first(r.Messages, maxPageWarnings), pageText)...)
	for s, because := range explained(r.States, isBad) {
		if len(f.States) == most {
			f.Messages = append(f.Messages, "More of its states failed than there is place for here.")
			break
		}
		shown := pageState{State: s, Because: each(because, pageLine), Warned: each(first(s.Warnings, maxPageWarnings), pageText)}
		tree, diff := changeTexts(s.Changes)
		shown.Tree = pageText(tree)
		if diff = pageText(diff); diff != "" {
			shown.Diff = strings.Split(sanitize.Text(diff), "\n")
		}
		f.States = append(f.States, shown)
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

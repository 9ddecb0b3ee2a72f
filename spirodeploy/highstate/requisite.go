package highstate

import (
	"slices"
	"strings"
)

// Requisites finds out why states did not run: because states that they require failed.
type Requisites struct {
	failed  map[string][]*State // by SLS.ID, which several states may have
	commas  int                 // in the SLS.ID with most commas
	read    map[*State][]string // the names in a comment that was read
	visited map[*State]bool     // in the current search
	left    int                 // of maxNames
}

// Cause is why a state did not run.
type Cause struct {
	// Chain has the SLS.ID of each state on the way from a requisite of the state
	// to the one that failed by itself.
	Chain []string
	// State is the one that failed by itself. It is nil if Salt does not name it, for
	// example if it is not among the results.
	State *State
}

// Limits that no project exceeds.
const (
	maxRequisites = 100      // in a comment, and in a search
	maxCommas     = 10       // in an ID
	maxComment    = 64 << 10 // of a comment, in bytes
	maxNames      = 1 << 20  // of all searches together
)

// How Salt says that requisites failed, and the separator of their names, which an ID may
// contain.
const (
	requisiteText = "One or more requisite failed:"
	betweenIDs    = ", "
)

// NewRequisites takes the states of a highstate, or only those that failed.
func NewRequisites(states []State) *Requisites {
	r := &Requisites{failed: map[string][]*State{}, read: map[*State][]string{}, visited: map[*State]bool{}, left: maxNames}
	for i := range states {
		if s := &states[i]; s.Outcome == Bad {
			key := s.key()
			r.failed[key] = append(r.failed[key], s)
			r.commas = min(max(r.commas, strings.Count(key, betweenIDs)), maxCommas)
		}
	}
	return r
}

// key returns Salt's name of a state in the comment of another (salt 3005,
// State.call_chunk).
func (s *State) key() string { return s.SLS + "." + s.ID }

// LacksRequisite reports whether a state failed because others failed.
func (s *State) LacksRequisite() bool {
	return s.Outcome == Bad && strings.HasPrefix(s.Comment, requisiteText)
}

// Root returns the first state that failed by itself, or the first that failed if none
// did so by itself. It returns nil if no state failed. States are in the order in which
// they ran.
func Root(states []State) *State {
	var first *State
	for i := range states {
		s := &states[i]
		switch {
		case s.Outcome != Bad:
		case !s.LacksRequisite():
			return s
		case first == nil:
			first = s
		}
	}
	return first
}

// step is a state on the way from a requisite to what failed by itself.
type step struct {
	state *State
	key   string
	from  int // the step before; -1 for the first
}

// Causes returns why a state did not run, nearest causes first. It returns nothing for a
// state that failed by itself. The state must be one that r was made from. If very many
// states name very many others, Causes leaves some out.
func (r *Requisites) Causes(s *State) []Cause {
	if !s.LacksRequisite() {
		return nil
	}
	clear(r.visited)
	r.visited[s] = true
	steps, unknown := []step{{state: s, from: -1}}, map[string]bool{}
	var causes []Cause
	last := 0 // the step that leads no further
	for i := 0; i < len(steps) && r.left > 0; i++ {
		names := r.named(steps[i].state)
		r.left -= 1 + len(names)
		if len(names) == 0 && i > 0 {
			causes = append(causes, Cause{Chain: r.chain(steps, i), State: steps[i].state})
		}
		for _, name := range names {
			if len(r.failed[name]) == 0 && !unknown[name] {
				unknown[name] = true
				causes = append(causes, Cause{Chain: append(r.chain(steps, i), name)})
			}
			steps = r.follow(steps, name, i)
		}
		last = i
	}
	if len(causes) == 0 && last > 0 && r.left > 0 { // the states lead back to each other
		causes = []Cause{{Chain: r.chain(steps, last)}}
	}
	return causes
}

// follow adds the states of a name that have not been visited.
func (r *Requisites) follow(steps []step, name string, from int) []step {
	for _, next := range r.failed[name] {
		if len(steps) == maxRequisites {
			break
		}
		if !r.visited[next] {
			r.visited[next] = true
			steps = append(steps, step{state: next, key: name, from: from})
		}
	}
	return steps
}

// chain returns the way to a step.
func (r *Requisites) chain(steps []step, i int) []string {
	var keys []string
	for ; steps[i].from >= 0; i = steps[i].from {
		keys = append(keys, steps[i].key)
	}
	r.left -= len(keys)
	slices.Reverse(keys)
	return keys
}

// named returns the names in the comment of a state that did not run.
func (r *Requisites) named(s *State) []string {
	if !s.LacksRequisite() {
		return nil
	}
	names, ok := r.read[s]
	if !ok {
		list, _ := strings.CutPrefix(s.Comment, requisiteText)
		names = r.split(strings.TrimSpace(list[:min(len(list), maxComment)]))
		r.read[s] = names
	}
	return names
}

// split splits a list of names. Since an ID may contain the separator, it takes the
// longest known name.
func (r *Requisites) split(list string) []string {
	var names []string
	for list != "" && len(names) < maxRequisites {
		end := r.first(list)
		names = append(names, list[:end])
		list = strings.TrimPrefix(list[end:], betweenIDs)
	}
	return names
}

// first returns the end of the first name in a list.
func (r *Requisites) first(list string) int {
	longest := -1
	for at, commas := 0, 0; commas <= r.commas; commas++ {
		next := strings.Index(list[at:], betweenIDs)
		if next < 0 {
			next = len(list) - at
		}
		at += next
		if longest < 0 || len(r.failed[list[:at]]) > 0 {
			longest = at
		}
		if at == len(list) {
			break
		}
		at += len(betweenIDs)
	}
	return longest
}

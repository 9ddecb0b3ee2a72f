package highstate

import (
	"slices"
	"strings"
)

// Requisites knows the failed states of a highstate, to say why those failed
// that did not run because others had failed.
type Requisites struct {
	failed  map[string][]*State // by SLS.ID, which several states may have
	commas  int                 // in the SLS.ID that has most
	read    map[*State][]string // what a comment names, once it has been read
	visited map[*State]bool     // of the search that goes on
	left    int                 // of maxNames
}

// Cause is why a state did not run.
type Cause struct {
	// Chain has the SLS.ID of each state on the way from a requisite of the state
	// to the one that failed by itself.
	Chain []string
	// State is the one that failed by itself; nil where Salt does not say which,
	// as of a state that is not among the results.
	State *State
}

// Limits of what is believed. More is what no project has.
const (
	maxRequisites = 100      // in a comment, and in a search
	maxCommas     = 10       // in an ID
	maxComment    = 64 << 10 // of a comment, in bytes
	maxNames      = 1 << 20  // that all searches together look at
)

// How Salt says that requisites failed, and what stands between their names,
// which may also be in an ID.
const (
	requisiteText = "One or more requisite failed:"
	betweenIDs    = ", "
)

// NewRequisites takes the states of a highstate. Those that did not fail may be
// missing.
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

// key is what Salt calls a state in the comment of another (salt 3005,
// State.call_chunk).
func (s *State) key() string { return s.SLS + "." + s.ID }

// LacksRequisite reports whether a state failed because others had.
func (s *State) LacksRequisite() bool {
	return s.Outcome == Bad && strings.HasPrefix(s.Comment, requisiteText)
}

// Root returns the state that is to be looked at first: the first one, in the order
// in which they ran, that failed by itself, or else the first that failed. It
// returns nil if none did.
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
	from  int // the step before; -1 for the state that is asked about
}

// Causes returns why a state did not run, the nearest first; nothing for a state
// that failed by itself. The state must be one of those that r was made of. It ends
// also if it is asked for very many states that name very many others: then it
// leaves causes out.
func (r *Requisites) Causes(s *State) []Cause {
	if !s.LacksRequisite() {
		return nil
	}
	clear(r.visited)
	r.visited[s] = true
	steps, unknown := []step{{state: s, from: -1}}, map[string]bool{}
	var causes []Cause
	last := 0 // the step from which none leads on
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

// named returns the states that a comment names, nothing where it is that of a
// state that failed by itself.
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

// split splits a list. IDs may have in them what stands between them: the longest
// that is known is taken.
func (r *Requisites) split(list string) []string {
	var names []string
	for list != "" && len(names) < maxRequisites {
		end := r.first(list)
		names = append(names, list[:end])
		list = strings.TrimPrefix(list[end:], betweenIDs)
	}
	return names
}

// first returns where the first name in a list ends.
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

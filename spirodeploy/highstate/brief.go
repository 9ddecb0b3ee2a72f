package highstate

import (
	"encoding/json"
	"iter"
	"slices"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// ParseBrief returns what Parse and [Result.Brief] do, in less time. A brief result shares no
// memory with raw.
func ParseBrief(raw json.RawMessage) Result {
	p := parser{Cursor: rawjson.NewCursor(rawjson.View(raw), maxDepth), brief: true}
	r, ok := p.parse()
	if !ok || len(r.Messages) > 0 || p.counts.Total == 0 || !isFew(len(r.States), p.counts.Total) {
		return Parse(raw).Brief()
	}
	all := p.counts // a pointer into p would keep the text in memory
	r.States, r.all = detached(r.States), &all
	return r
}

// Brief returns the result with only the telling states if they are few, which share no memory
// with other states. Counts still counts all of them.
func (r Result) Brief() Result {
	if r.all != nil || len(r.States) == 0 {
		return r
	}
	var few []State
	for i := range r.States {
		if r.States[i].Telling() {
			few = append(few, r.States[i])
		}
	}
	if isFew(len(few), len(r.States)) {
		counts := r.Counts()
		r.States, r.all = detached(few), &counts
	}
	return r
}

// IsBrief reports whether the result has only the telling states of others.
func (r Result) IsBrief() bool { return r.all != nil }

func isFew(some, of int) bool { return 4*some <= of }

// detached makes states share no memory with others. One piece of memory takes all of their
// texts, since the garbage collector looks at each piece.
func detached(states []State) []State {
	size := 0
	for i := range states {
		for text := range states[i].texts() {
			size += len(*text)
		}
		size += len(states[i].Changes)
	}
	all := make([]byte, 0, size)
	keep := func(text string) []byte {
		from := len(all)
		all = append(all, text...)
		return all[from:len(all):len(all)]
	}
	for i := range states {
		s := &states[i]
		s.Warnings = slices.Clone(s.Warnings)
		for text := range s.texts() {
			*text = rawjson.View(keep(*text))
		}
		if s.Changes != nil {
			s.Changes = keep(rawjson.View(s.Changes))
		}
	}
	return slices.Clip(states)
}

// texts yields the texts of the state.
func (s *State) texts() iter.Seq[*string] {
	return func(yield func(*string) bool) {
		for _, text := range []*string{&s.ID, &s.Function, &s.Name, &s.SLS, &s.Comment, &s.Start} {
			if !yield(text) {
				return
			}
		}
		for i := range s.Warnings {
			if !yield(&s.Warnings[i]) {
				return
			}
		}
	}
}

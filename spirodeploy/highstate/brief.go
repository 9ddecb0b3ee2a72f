package highstate

import (
	"encoding/json"
	"iter"
	"slices"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// Brief is a result of which only the telling states are there if they are few: at most a
// quarter.
type Brief struct {
	Result
	All Counts // of all states
	// Short reports whether Result lacks the states that are not telling. Its other states
	// then share no memory with what it was made of.
	Short bool
}

// Counts returns All.
func (b Brief) Counts() Counts { return b.All }

// ParseBrief is [Parse], followed by [Result.Brief], in less time.
func ParseBrief(raw json.RawMessage) Brief {
	text := rawjson.View(raw)
	p := parser{Cursor: rawjson.NewCursor(text, maxDepth), brief: true}
	r, ok := p.parse()
	switch {
	case p.many || ok && (len(r.Messages) > 0 || p.counts.Total == 0 || !isFew(len(r.States), p.counts.Total)):
		return Parse(raw).Brief()
	case !ok:
		return malformed(text).Brief()
	}
	r.States = detached(r.States)
	return Brief{Result: r, All: p.counts, Short: true}
}

// Brief leaves out the states that are not telling if the others are few.
func (r Result) Brief() Brief {
	b := Brief{Result: r, All: r.Counts()}
	var telling []State
	for i := range r.States {
		if r.States[i].Telling() {
			telling = append(telling, r.States[i])
		}
	}
	if len(r.States) > 0 && isFew(len(telling), len(r.States)) {
		b.States, b.Short = detached(telling), true
	}
	return b
}

func isFew(some, of int) bool { return 4*some <= of }

// detached returns copies of states that share no memory with others. One piece of memory
// takes all of their texts, since the garbage collector looks at each piece.
func detached(states []State) []State {
	if len(states) == 0 {
		return nil
	}
	size := 0
	own := make([]State, len(states))
	for i := range own {
		own[i] = states[i]
		own[i].Warnings = slices.Clone(own[i].Warnings)
		for text := range own[i].texts() {
			size += len(*text)
		}
		size += len(own[i].Changes)
	}
	all := make([]byte, 0, size)
	keep := func(text string) []byte {
		from := len(all)
		all = append(all, text...)
		return all[from:len(all):len(all)]
	}
	for i := range own {
		s := &own[i]
		for text := range s.texts() {
			*text = rawjson.View(keep(*text))
		}
		if s.Changes != nil {
			s.Changes = keep(rawjson.View(s.Changes))
		}
	}
	return own
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

package highstate

import (
	"encoding/json"
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// Brief is what a result comes to. Nothing in it is large.
type Brief struct {
	Result        // without States, and with no more than the beginning of the first of Messages
	Counts Counts // of the states
	// Root is what [Root] returns, nil for none. It has an ID, a function,
	// an outcome, changes unless they are large, and the beginning of a comment.
	Root *State
	// Telling are the places of the states that are, in the order in which Salt
	// returned them; see [Excerpt].
	Telling []Place
}

// Place is where in a result something is, in bytes.
type Place struct{ At, Size int }

// Limits of a Brief, in bytes.
const (
	maxBeginning   = 1 << 10   // of the message, and of texts of the root
	maxRootComment = 4 << 10   // of its comment, as it is written
	maxRootChanges = 256 << 10 // of its changes
)

// Summarize reads what [Parse] reads, and keeps less of it: where results are too
// large, or too many, to keep them all. It takes half the time.
func Summarize(raw json.RawMessage) Brief {
	text := rawjson.View(raw)
	p := parser{Cursor: rawjson.NewCursor(text, maxDepth), brief: true}
	b := Brief{Result: p.parse(text)}
	if p.ran {
		b.Counts, b.Telling, b.Root = p.counts, p.telling, p.root
	}
	if b.Root != nil {
		for _, s := range []*string{&b.Root.ID, &b.Root.Function, &b.Root.Comment} {
			*s = strings.Clone(sanitize.Clip(*s, maxBeginning))
		}
	}
	if len(b.Messages) > 0 {
		// A copy: it must not be a part of raw.
		b.Messages = []string{strings.Clone(sanitize.Clip(b.Messages[0], maxBeginning))}
	}
	return b
}

// consider remembers a state that failed, if it is the one that [Root] returns of
// those that came until now. Its comment is a text; its ID is as it is
// written, and so are its changes.
func (p *parser) consider(s State, tag, id, changes string, run float64) {
	if p.root != nil {
		lacks, others := s.LacksRequisite(), p.root.LacksRequisite()
		if lacks && !others || lacks == others && run >= p.rootRun {
			return
		}
	}
	root := &State{Outcome: Bad, Comment: s.Comment}
	root.splitTag(tag, text(id), p)
	root.Name = ""
	if len(changes) <= maxRootChanges && truthy(changes) {
		root.Changes = []byte(changes)
	}
	p.root, p.rootRun = root, run
}

// Excerpt returns the states in parts of a result, which have the places that a
// [Brief] tells, in the order in which they ran.
func Excerpt(parts [][]byte) []State {
	raw := []byte(`{"ret":{`)
	for i, part := range parts {
		if i > 0 {
			raw = append(raw, ',')
		}
		raw = append(raw, part...)
	}
	return ParseText(rawjson.View(append(raw, `}}`...))).States
}

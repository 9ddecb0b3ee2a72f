package highstate

import (
	"encoding/json"
	"strings"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// Brief is what a result comes to. Nothing in it is large.
type Brief struct {
	Result        // without States, and with no more than the beginning of the first of Messages
	Counts Counts // of the states
	// Telling are the places of the states that are, in the order in which Salt
	// returned them; see [Excerpt].
	Telling []Place
}

// Place is where in a result something is, in bytes.
type Place struct{ At, Size int }

// maxBeginning is the size of the message in a Brief, in bytes.
const maxBeginning = 1 << 10

// Summarize reads what [Parse] reads, and keeps less of it: where results are too
// large, or too many, to keep them all. It takes half the time.
func Summarize(raw json.RawMessage) Brief {
	text := rawjson.View(raw)
	p := parser{Cursor: rawjson.NewCursor(text, maxDepth), brief: true}
	b := Brief{Result: p.parse(text)}
	if p.ran {
		b.Counts, b.Telling = p.counts, p.telling
	}
	if len(b.Messages) > 0 {
		// A copy: it must not be a part of raw.
		b.Messages = []string{strings.Clone(plain.Clip(b.Messages[0], maxBeginning))}
	}
	return b
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

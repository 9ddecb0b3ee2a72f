package highstate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// Limits that no result of Salt exceeds.
const (
	maxStates = 100_000 // of a highstate
	maxTexts  = 10_000  // in a list of messages or warnings
	maxDepth  = 100     // levels of nesting
	maxJID    = 255     // of a job's id, in bytes
)

// Parse reads the "result" of a highstate-update. Malformed input yields a Failed result
// that says why. The result shares memory with raw, which must not change afterwards.
func Parse(raw json.RawMessage) Result {
	text := rawjson.View(raw)
	p := parser{Cursor: rawjson.NewCursor(text, maxDepth)}
	if r, ok := p.parse(); ok {
		return r
	}
	return malformed(text)
}

// malformed returns the result for a text that is none.
func malformed(text string) Result {
	why := short(text)
	if rawjson.Depth(text) > maxDepth {
		why = fmt.Sprintf("what it returned is nested deeper than %d levels", maxDepth)
	}
	return Result{Status: Failed, Messages: []string{"Salt returned no result of a highstate: " + why}}
}

// parser reads a result in one pass. The result is only valid if all of the text is JSON.
type parser struct {
	*rawjson.Cursor
	brief   bool       // whether to keep only the telling states
	many    bool       // whether these seem not to be few; a brief parser then gives up
	counts  Counts     // of all states; only a brief parser counts
	last    string     // the function of the last state
	lastSLS string     // the SLS of the last state, as it is written
	names   []string   // of the SLS, each once
	runs    []float64  // when the states ran that are kept
	members [12]member // of the last state
}

// parse reads everything. It reports whether the text is JSON, and an object.
func (p *parser) parse() (r Result, ok bool) {
	if p.First() == '{' {
		r = p.result()
	}
	r.sls = p.names
	return r, p.End() && r.Status != ""
}

func (p *parser) result() Result {
	var r Result
	var failed, ret string
	for more := p.Object(); more; more = p.More('}') {
		switch p.Name() {
		case "failed":
			failed = p.Value()
		case "ret":
			// If there are several, the last one counts.
			r.Status, r.States, r.Messages, ret = "", nil, nil, ""
			p.counts, p.names, p.lastSLS = Counts{}, nil, ""
			if p.First() == '{' {
				p.states(&r)
			} else {
				ret = p.Value()
			}
		case "retcode":
			r.Retcode = retcode(p.Value())
		case "jid":
			// A clone does not keep the rest in memory.
			r.JID = strings.Clone(sanitize.Clip(text(p.Value()), maxJID))
		default:
			p.Value()
		}
	}
	switch {
	case truthy(failed):
		return Result{Status: NoAnswer, Messages: []string{"The minion did not answer."}, Retcode: r.Retcode, JID: r.JID}
	case r.Status == "":
		r.readOther(ret)
	case r.Status == Succeeded && (r.Retcode != 0 || Root(r.States) != nil):
		r.Status = Failed
	}
	return r
}

// readOther reads a "ret" that is not a mapping of states. Its type depends on how the
// highstate failed.
func (r *Result) readOther(ret string) {
	r.Status = Failed
	switch rawjson.First(ret) {
	case '[':
		r.Status, r.Messages = NotCompiled, texts(ret)
		for i, msg := range r.Messages {
			r.Messages[i] = strings.TrimRight(msg, "\n")
		}
	case 0:
		r.Messages = []string{"Salt returned no result."}
		return
	case '"':
		r.Messages = []string{text(ret)}
	default:
		r.Messages = []string{"Salt returned " + short(ret) + " in place of states."}
	}
	if r.Retcode == 1 {
		r.Status = NotCompiled
	}
}

// lastRun is after the number of every state.
const lastRun = 1 << 53

// tag reads the tag of a state.
func (p *parser) tag() written {
	raw, plain := p.Quoted()
	return written{raw, plain}
}

// states reads the mapping of tags to states. Its order decides if states do not tell
// when they ran.
func (p *parser) states(r *Result) {
	p.runs = p.runs[:0]
	total, guess := 0, 0
	var one State
	for more := p.Object(); more; more = p.More('}') {
		at := p.Offset()
		tag := p.tag()
		if p.First() == '[' && tag.text() == "__extend__" || total > maxStates {
			p.Value() // it must be JSON all the same
			continue
		}
		run := p.state(tag, &one)
		if total++; total == 1 { // most states have about the same size
			guess = min(1+len(p.Rest())/max(1, p.Offset()-at), maxGuess)
		}
		if p.brief {
			p.counts.add(&one)
		} else if r.States == nil {
			r.States, p.runs = make([]State, 0, guess), slices.Grow(p.runs, guess)
		}
		if !p.brief || one.Telling() {
			r.States, p.runs = append(r.States, one), append(p.runs, run)
		}
		if p.brief && !isFew(len(r.States), max(guess, total)) {
			p.many = true
			p.Skip(len(p.Rest()))
		}
	}
	switch {
	case total > maxStates:
		r.Status, r.States = Failed, nil
		r.Messages = []string{"Salt returned more than " + human.Thousands(maxStates) + " states, which cannot be."}
	case total == 0:
		r.Status, r.Messages = Failed, []string{"No states ran."}
	default:
		r.Status = Succeeded
		p.sort(r.States)
	}
}

// maxGuess is the largest guess at the number of states.
const maxGuess = 4096

// sort puts the states into the order in which they ran. Salt mostly returns them so.
func (p *parser) sort(states []State) {
	if slices.IsSortedFunc(p.runs, cmp.Compare[float64]) {
		return
	}
	order := make([]int, len(states))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p.runs[a], p.runs[b]) })
	unsorted := slices.Clone(states)
	for i, from := range order {
		states[i] = unsorted[from]
	}
}

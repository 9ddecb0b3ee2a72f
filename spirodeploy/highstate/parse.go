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

// Limits of what is believed. More is what no Salt returns.
const (
	maxStates = 100_000 // of a highstate
	maxTexts  = 10_000  // in a list of messages or warnings
	maxDepth  = 100     // levels of nesting
	maxJID    = 255     // of a job's id, in bytes
)

// Parse reads the "result" of a highstate-update. It cannot fail: what is no
// result that Salt gives is a failed highstate that says so. Nothing of raw is
// kept; but one copy of it, of which the texts of all states are parts.
func Parse(raw json.RawMessage) Result { return ParseText(string(raw)) }

// ParseText is [Parse] for a text, of which it makes no copy.
func ParseText(text string) Result {
	p := parser{Cursor: rawjson.NewCursor(text, maxDepth)}
	return p.parse(text)
}

// parser reads a result in one pass. What it returns holds only if all of the
// text turns out to be JSON.
type parser struct {
	*rawjson.Cursor
	brief   bool      // the states themselves are not wanted
	last    string    // the function of the last state
	lastSLS string    // the SLS of the last state
	names   []string  // of the SLS, each once
	runs    []float64 // when the states ran
	ran     bool      // whether there are states, of which these are true:
	counts  Counts
	telling []Place
	root    *State // of a brief
	rootRun float64
}

func (p *parser) parse(text string) Result {
	if p.First() == '{' {
		if r := p.result(); p.End() {
			r.sls = p.names
			return r
		}
	}
	p.ran = false
	why := short(text)
	if rawjson.Depth(text) > maxDepth {
		why = fmt.Sprintf("what it returned is nested deeper than %d levels", maxDepth)
	}
	return Result{Status: Failed, Messages: []string{"Salt returned no result of a highstate: " + why}}
}

// result reads the whole.
func (p *parser) result() Result {
	var r Result
	var failed, ret string
	for more := p.Object(); more; more = p.More('}') {
		switch p.Name() {
		case "failed":
			failed = p.Value()
		case "ret":
			// Of several, the last one counts.
			r.Status, r.States, r.Messages, ret, p.ran = "", nil, nil, "", false
			if p.First() == '{' {
				p.states(&r)
			} else {
				ret = p.Value()
			}
		case "retcode":
			r.Retcode = retcode(p.Value())
		case "jid":
			// It is kept where the rest is not.
			r.JID = strings.Clone(sanitize.Clip(text(p.Value()), maxJID))
		default:
			p.Value()
		}
	}
	switch {
	case truthy(failed):
		p.ran = false
		return Result{Status: NoAnswer, Messages: []string{"The minion did not answer."}, Retcode: r.Retcode, JID: r.JID}
	case r.Status == "":
		r.readOther(ret)
	case p.ran && (r.Retcode != 0 || p.counts.Failed > 0):
		r.Status = Failed
	}
	return r
}

// readOther reads a "ret" that is no mapping of states: it is of another type
// for each way to fail.
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

// lastRun is later than any state that has a number.
const lastRun = 1 << 53

// states reads the mapping of tags to states. Its order counts where states do
// not tell when they ran.
func (p *parser) states(r *Result) {
	p.counts, p.telling, p.root, p.runs = Counts{}, nil, nil, p.runs[:0]
	tooMany := false
	for more := p.Object(); more; more = p.More('}') {
		p.First()
		at := p.Offset()
		tag := p.Name()
		switch {
		case tag == "__extend__" && p.First() == '[':
			p.Value()
		case tooMany || p.counts.Total == maxStates:
			tooMany = true
			p.Value() // it has to be JSON all the same
		default:
			s, run := p.state(tag)
			p.counts.add(&s)
			if p.brief {
				if s.Telling() {
					p.telling = append(p.telling, Place{at, p.Offset() - at})
				}
				continue
			}
			if p.counts.Total == 1 {
				// Most states are of about the same size.
				guess := min(1+p.Left()/max(1, p.Offset()-at), maxGuess)
				r.States, p.runs = make([]State, 0, guess), slices.Grow(p.runs, guess)
			}
			r.States, p.runs = append(r.States, s), append(p.runs, run)
		}
	}
	switch {
	case tooMany:
		r.Status, r.States = Failed, nil
		r.Messages = []string{"Salt returned more than " + human.Thousands(maxStates) + " states, which cannot be."}
	case p.counts.Total == 0:
		r.Status, r.Messages = Failed, []string{"No states ran."}
	default:
		p.ran, p.counts.Succeeded = true, p.counts.Total-p.counts.Failed
		r.Status = Succeeded
		p.sort(r.States)
	}
}

// maxGuess is how many states are prepared for before they are seen.
const maxGuess = 4096

// sort puts the states into the order in which they ran, in which Salt most
// often returns them.
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

package report

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"unsafe"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// details is what a Minion does not show of its result.
type details struct {
	inFile  bool   // whether the result is in the file only
	ours    bool   // whether the file has it in our JSON, not in Salt's
	compact bool   // whether JSON has it without indentation
	telling bool   // whether it has something to show to people
	slot    slot   // of the result, or of an older one
	size    int    // in the file, in bytes; 0 if the file has the telling states only
	excerpt int    // size of the telling states, which follow it; 0 if they are not there
	brief   bool   // whether other states than the telling ones are gone
	cost    int    // its share of maxKept
	root    string // the headline, if the states are in the file
}

// Details returns everything that the minion's result says. After a run with large or
// many results, most are in a temporary file, and the States and Messages of the Minion
// are empty or shortened. If Details fails, it returns what is in memory. If the report is
// brief, it fails with [ErrBrief] for each minion that lacks states. Use [Results] for many
// minions.
func (m *Minion) Details() (highstate.Result, error) { return new(Results).Of(m) }

// Headline returns the headline of the state that failed first by itself, or "" if none
// did. See [highstate.State.Headline].
func (m *Minion) Headline() string {
	if m.details.root != "" {
		return m.details.root
	}
	if s := highstate.Root(m.States); s != nil {
		return s.Headline()
	}
	return ""
}

// Results reads the results of one minion after the other into the same memory: what a
// method returned is only valid until the next call. The zero value is ready to use.
type Results struct{ buf []byte }

// Of returns what [Minion.Details] does.
func (r *Results) Of(m *Minion) (highstate.Result, error) {
	if d := &m.details; !d.brief {
		return r.read(m, 0, d.size, d.ours)
	}
	result, err := r.Telling(m)
	return result, cmp.Or(err, ErrBrief)
}

// ErrBrief means that a brief report lacks states of a minion. What it has, is right.
var ErrBrief = errors.New("the report is brief: it has only the states that failed, changed something, would change or warn")

// Telling is [Results.Of] for the states that people want to see. It may return others
// as well.
func (r *Results) Telling(m *Minion) (highstate.Result, error) {
	d := &m.details
	switch {
	case !d.telling:
		return m.Result, nil
	case d.excerpt == 0:
		return r.read(m, 0, d.size, d.ours)
	}
	return r.read(m, d.size, d.excerpt, true)
}

// read returns the part of the file that begins after some bytes of the result.
func (r *Results) read(m *Minion, from, size int, ours bool) (highstate.Result, error) {
	m.details.slot.spool.settle()
	switch {
	case m.Incomplete != "":
		return m.Result, errors.New(m.Incomplete)
	case !m.details.inFile:
		return m.Result, nil
	}
	if cap(r.buf) < size {
		r.buf = make([]byte, size)
	}
	r.buf = r.buf[:size]
	if err := m.details.slot.read(r.buf, from); err != nil {
		return m.Result, err
	}
	if !ours {
		return highstate.Parse(r.buf), nil
	}
	read, err := parseMinion(r.buf)
	if err != nil {
		return m.Result, err
	}
	return read.Result, nil
}

// Close removes the temporary file of large results. Afterwards, [Minion.Details] fails
// for these. Close is idempotent. Without it, the file stays open until the report is
// garbage-collected.
func (r *Report) Close() error { return r.spool.close() }

// take gives the minion its result, unless it has failed for good. A result without
// room in memory goes to the spool. If brief is true, the minion keeps only its telling
// states if they are few.
func (m *Minion) take(s *spool, brief bool, e client.Event) {
	when, old := e.Time, m.details // a pointer to e.Time would keep all of e
	if e.Problem != "" {
		if !m.failed() {
			unreadable := highstate.Result{Status: highstate.Failed, Messages: []string{e.Problem}}
			s.kept -= old.cost
			*m = Minion{ID: m.ID, Result: unreadable, Reported: &when, details: details{telling: true, slot: old.slot}}
		}
		return
	}
	raw, short := e.Result, e.Brief()
	r, size := short.Result, wholeCost(short, len(raw))
	switch brief = brief && short.Short; {
	case brief:
		size = briefCost(r)
	case size <= maxKept-s.kept+old.cost:
		raw, r = whole(e)
		size = wholeCost(highstate.Brief{Result: r}, len(raw))
	}
	if m.failed() && r.Status != highstate.Failed {
		return
	}
	s.kept -= old.cost
	*m = Minion{ID: m.ID, Result: r, Counts: short.All, Reported: &when, details: details{
		telling: tells(r), compact: len(raw) > maxIndented, slot: old.slot, size: len(raw), brief: brief, cost: size,
	}}
	m.store(s, raw, short)
}

// whole returns the result of an event with all states. It shares memory with the event only
// if the event has little else.
func whole(e client.Event) (raw json.RawMessage, r highstate.Result) {
	if 5*len(e.Result) >= 4*len(e.Data) && e.Data != "" {
		return e.Result, e.Highstate()
	}
	raw = bytes.Clone(e.Result)
	return raw, highstate.Parse(raw)
}

// store moves the result to the file if there is no room for it in memory.
func (m *Minion) store(s *spool, raw []byte, short highstate.Brief) {
	d := &m.details
	if d.cost <= maxKept-s.kept || m.Incomplete != "" {
		s.kept += d.cost
		return
	}
	d.root, d.cost = m.Headline(), 0
	var excerpt []byte
	if short.Short && len(short.States) > 0 { // else reading everything is about as fast
		excerpt = encodeResult(m.ID, short.Result)
	}
	if d.brief {
		raw, d.size = nil, 0
	}
	d.excerpt = len(excerpt)
	m.States = nil
	if len(m.Messages) > 0 {
		m.Messages = []string{strings.Clone(sanitize.Clip(m.Messages[0], maxMessage))}
	}
	if !d.brief || d.telling {
		s.put(m, raw, excerpt)
	}
}

// maxMessage is the size of a message that stays in memory, in bytes.
const maxMessage = 1 << 10

// encodeResult returns a result as the JSON of a minion.
func encodeResult(id string, r highstate.Result) []byte {
	var b bytes.Buffer
	out := bufio.NewWriter(&b)
	if new(Results).WriteJSON(out, &Minion{ID: id, Result: r}) != nil || out.Flush() != nil {
		return nil
	}
	return b.Bytes()
}

// tells reports whether a result has something to show to people.
func tells(r highstate.Result) bool {
	return len(r.Messages) > 0 || slices.ContainsFunc(r.States, func(s highstate.State) bool { return s.Telling() })
}

const (
	textSize  = int(unsafe.Sizeof(""))
	stateSize = int(unsafe.Sizeof(highstate.State{}))
)

// wholeCost returns about how much memory a result takes with all states; size is that of its
// text, in bytes.
func wholeCost(b highstate.Brief, size int) int {
	if b.Short {
		return size + b.All.Total*stateSize
	}
	size += cap(b.States)*stateSize + len(b.Messages)*textSize
	for i := range b.States {
		size += len(b.States[i].Warnings) * textSize
	}
	return size
}

// briefCost returns about how much memory a brief result takes.
func briefCost(r highstate.Result) int {
	size := cap(r.States) * stateSize
	for i := range r.States {
		s := &r.States[i]
		size += len(s.ID) + len(s.Function) + len(s.Name) + len(s.SLS) + len(s.Comment) + len(s.Start) + len(s.Changes)
		for _, warning := range s.Warnings {
			size += textSize + len(warning)
		}
	}
	return size
}

// warnOfIncomplete warns about results that are lost.
func (t *Target) warnOfIncomplete() {
	n, why := 0, ""
	for _, m := range t.Minions {
		if m.Incomplete != "" {
			n, why = n+1, m.Incomplete
		}
	}
	if n > 0 {
		t.Warn("the details of " + human.Plural(n, "minion") + " are missing: " + why)
	}
}

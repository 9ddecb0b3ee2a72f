package report

import (
	"errors"
	"slices"
	"strings"
	"unsafe"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// details is what a Minion does not show of its result.
type details struct {
	inFile  bool              // whether some of it is in the file only
	slot    slot              // of the result, or of an older one
	ours    bool              // whether the file has it in our JSON, not in Salt's
	compact bool              // whether it is written without indentation
	size    int               // of the result, or of the minion in our JSON, in bytes
	cost    int               // its share of maxKept
	telling bool              // whether it has something to show to people
	places  []highstate.Place // of the telling states, if these are few
	root    string            // the headline of what failed first, if the states are in the file
}

// Details returns everything that the minion's result says. After a run with large or
// many results, most are in a temporary file, and the States and Messages of the Minion
// are empty or shortened. If Details fails, it returns what is in memory. Use [Results]
// for many minions.
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
	m.details.slot.spool.settle()
	switch {
	case m.Incomplete != "":
		return m.Result, errors.New(m.Incomplete)
	case !m.details.inFile:
		return m.Result, nil
	}
	if size := m.details.size; cap(r.buf) < size {
		r.buf = make([]byte, size)
	} else {
		r.buf = r.buf[:size]
	}
	if err := m.details.slot.read(r.buf, 0); err != nil {
		return m.Result, err
	}
	if m.details.ours {
		read, err := parseMinion(r.buf)
		if err != nil {
			return m.Result, err
		}
		return read.Result, nil
	}
	return highstate.ParseText(rawjson.View(r.buf)), nil
}

// Telling is [Results.Of] for the states that people want to see. It may leave out
// others.
func (r *Results) Telling(m *Minion) (highstate.Result, error) {
	d := &m.details
	d.slot.spool.settle()
	switch {
	case !d.telling:
		return m.Result, nil
	case m.Incomplete != "" || len(d.places) == 0:
		return r.Of(m)
	}
	result, parts := m.Result, make([][]byte, len(d.places))
	for i, place := range d.places {
		parts[i] = make([]byte, place.Size)
		if err := d.slot.read(parts[i], place.At); err != nil {
			return result, err
		}
	}
	result.States = highstate.Excerpt(parts)
	return result, nil
}

// Close removes the temporary file of large results. Afterwards, [Minion.Details] fails
// for these. Close is idempotent. Without it, the file stays open until the report is
// garbage-collected.
func (r *Report) Close() error { return r.spool.close() }

// take gives the minion its result, unless it has failed for good. A result without
// room in memory goes to the spool.
func (m *Minion) take(s *spool, e client.Event) {
	when, old := e.Time, m.details // a pointer to e.Time would keep all of e
	if e.Problem != "" {
		if !m.failed() {
			unreadable := highstate.Result{Status: highstate.Failed, Messages: []string{e.Problem}}
			s.kept, s.places = s.kept-old.cost, s.places-len(old.places)
			*m = Minion{ID: m.ID, Result: unreadable, Reported: &when, details: details{telling: true, slot: old.slot}}
		}
		return
	}
	next := Minion{ID: m.ID, Reported: &when, details: details{size: len(e.Result), compact: len(e.Result) > maxIndented, slot: old.slot}}
	kept := next.keep(e.Result, maxKept-s.kept+old.cost)
	if !kept {
		next.shorten(e.Result, maxPlaces-s.places+len(old.places))
	}
	if m.failed() && next.Status != highstate.Failed {
		return
	}
	s.kept += next.details.cost - old.cost
	s.places += len(next.details.places) - len(old.places)
	*m = next
	if !kept {
		s.put(m, e.Result)
	}
}

// keep takes all of a result if there is room for it.
func (m *Minion) keep(raw []byte, room int) bool {
	if len(raw) > room {
		return false
	}
	r := highstate.Parse(raw)
	m.details.cost = cost(raw, r)
	if m.details.cost > room {
		return false
	}
	m.Result, m.Counts = r, r.Counts()
	m.details.telling = tells(r)
	return true
}

// tells reports whether a result has something to show to people.
func tells(r highstate.Result) bool {
	return len(r.Messages) > 0 || slices.ContainsFunc(r.States, func(s highstate.State) bool { return s.Telling() })
}

// shrink drops the parts of a result that can be read from the file.
func (m *Minion) shrink() {
	m.States, m.details.cost = nil, 0
	if len(m.Messages) > 0 {
		m.Messages = []string{strings.Clone(sanitize.Clip(m.Messages[0], maxMessage))}
	}
}

// maxMessage is the size of a message that stays in memory, in bytes.
const maxMessage = 1 << 10

// shorten takes the parts of a result that must stay in memory. Room is a number of
// places.
func (m *Minion) shorten(raw []byte, room int) {
	b := highstate.Summarize(raw)
	m.Result, m.Counts, m.details.cost = b.Result, b.Counts, 0
	m.details.telling = len(b.Messages) > 0 || len(b.Telling) > 0
	if b.Root != nil {
		m.details.root = b.Root.Headline()
	}
	// Reading state by state only pays if most states are skipped.
	if n := len(b.Telling); n <= room && 4*n <= b.Counts.Total {
		m.details.places = slices.Clone(b.Telling)
	}
}

// cost returns about how much memory a result takes. Its texts are parts of one copy
// of raw.
func cost(raw []byte, r highstate.Result) int {
	const text = int(unsafe.Sizeof(""))
	size := len(raw) + cap(r.States)*int(unsafe.Sizeof(highstate.State{})) + len(r.Messages)*text
	for i := range r.States {
		size += len(r.States[i].Warnings) * text
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

package report

import (
	"errors"
	"slices"
	"unsafe"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// details says what there is of a minion's result beyond what is in the Minion.
type details struct {
	inFile  bool              // whether it is not all in the Minion
	slot    slot              // where it is then, or an older one was
	size    int               // of the result as the server sent it, in bytes
	cost    int               // what it takes of maxKept
	telling bool              // whether it has something that people are to see
	places  []highstate.Place // of the states that are telling; none where all is as good as that
	root    string            // what failed first, where the states are not in memory
}

// Details returns all that the minion's result says. Of a run with large results
// or many, most are not in memory, but in a temporary file: their States and
// Messages in the Minion are then empty or shortened, and here they are read
// again; so it is better to go through one minion after the other than to keep
// what this returns. Where it fails, it returns what there is in memory.
func (m *Minion) Details() (highstate.Result, error) { return m.read(new([]byte)) }

// read returns the details. It uses, or replaces, a buffer for them, in which
// they then are: views go through many, and large ones would be garbage fast.
func (m *Minion) read(buf *[]byte) (highstate.Result, error) {
	m.details.slot.spool.settle()
	switch {
	case m.Incomplete != "":
		return m.Result, errors.New(m.Incomplete)
	case !m.details.inFile:
		return m.Result, nil
	}
	if size := m.details.size; cap(*buf) < size {
		*buf = make([]byte, size)
	} else {
		*buf = (*buf)[:size]
	}
	if err := m.details.slot.read(*buf, 0); err != nil {
		return m.Result, err
	}
	return highstate.ParseText(rawjson.View(*buf)), nil
}

// readTelling is read for the states that people are to see, and maybe others.
func (m *Minion) readTelling(buf *[]byte) (highstate.Result, error) {
	d := &m.details
	d.slot.spool.settle()
	switch {
	case !d.telling:
		return m.Result, nil // what is in memory
	case m.Incomplete != "" || len(d.places) == 0:
		return m.read(buf)
	}
	r, parts := m.Result, make([][]byte, len(d.places))
	for i, place := range d.places {
		parts[i] = make([]byte, place.Size)
		if err := d.slot.read(parts[i], place.At); err != nil {
			return r, err
		}
	}
	r.States = highstate.Excerpt(parts)
	return r, nil
}

// Close removes the temporary file with the results that are not in memory, if
// there is one: [Minion.Details] then fails for these, and views do without. All
// else in the report stays. To call it again does nothing; not to call it keeps
// a file open until the report is collected as garbage.
func (r *Report) Close() error {
	var errs []error
	for _, t := range r.Targets {
		errs = append(errs, t.spool.close())
	}
	return errors.Join(errs...)
}

// take gives the minion its result, unless it has failed for good. What has no
// room in memory goes to the spool; and where that fails, is lost.
func (m *Minion) take(s *spool, e client.Event) {
	when, old := e.Time, m.details // a pointer into e would keep all of it
	if e.Problem != "" {
		if !m.failed() {
			unreadable := highstate.Result{Status: highstate.Failed, Messages: []string{e.Problem}}
			s.kept, s.places = s.kept-old.cost, s.places-len(old.places)
			*m = Minion{ID: m.ID, Result: unreadable, Reported: &when, details: details{telling: true, slot: old.slot}}
		}
		return
	}
	next := Minion{ID: m.ID, Reported: &when, details: details{size: len(e.Result), slot: old.slot}}
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

// keep takes all of a result, unless that is more than there is room for.
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
	m.details.telling = len(r.Messages) > 0 || slices.ContainsFunc(r.States, func(s highstate.State) bool { return s.Telling() })
	return true
}

// shorten takes no more of a result than has to be at hand. There is room for a
// number of places.
func (m *Minion) shorten(raw []byte, room int) {
	b := highstate.Summarize(raw)
	m.Result, m.Counts, m.details.cost = b.Result, b.Counts, 0
	m.details.telling = len(b.Messages) > 0 || len(b.Telling) > 0
	if b.Root != nil {
		m.details.root = rootLine(b.Root)
	}
	// To read one state after the other pays where most are not read.
	if n := len(b.Telling); n <= room && 4*n <= b.Counts.Total {
		m.details.places = slices.Clone(b.Telling)
	}
}

// cost returns about what a result takes in memory: its texts are parts of one
// copy of it.
func cost(raw []byte, r highstate.Result) int {
	const text = int(unsafe.Sizeof(""))
	size := len(raw) + cap(r.States)*int(unsafe.Sizeof(highstate.State{})) + len(r.Messages)*text
	for i := range r.States {
		size += len(r.States[i].Warnings) * text
	}
	return size
}

// warnOfIncomplete says what is missing in the report.
func (t *Target) warnOfIncomplete() {
	n, why := 0, ""
	for _, m := range t.Minions {
		if m.Incomplete != "" {
			n, why = n+1, m.Incomplete
		}
	}
	if n > 0 {
		t.Warn("the details of " + plural(n, "minion") + " are missing: " + why)
	}
}

package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/spirostack/spirodeploy/internal/jsontext"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// MarshalJSON returns the report as JSON, with all results. [Report.WriteJSON] needs
// less memory.
func (r *Report) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	err := r.WriteJSON(&b)
	return b.Bytes(), err
}

// WriteJSON writes the report as indented JSON, one minion after the other.
// docs/report.md describes the members. Errors are those of w.
func (r *Report) WriteJSON(w io.Writer) error {
	// Events and minions may be many and large. A frame without them is encoded first,
	// and each of them is then written in its place.
	type plain Report // without MarshalJSON
	frame := plain(*r)
	frame.Targets = slices.Clone(r.Targets)
	for i, t := range r.Targets {
		without := *t
		without.Events, without.Minions = []Event{}, []*Minion{}
		frame.Targets[i] = &without
	}
	rest, err := encode(frame)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10) // which remembers the first error
	r.spool.settle()                      // since others read from it
	for _, t := range r.Targets {
		list := upTo("events", out, &rest)
		for i := range t.Events {
			list.Next()
			event, err := encode(t.Events[i])
			if err != nil {
				return err
			}
			list.Value(event)
		}
		list.Close(']')
		list = upTo("minions", out, &rest)
		for m := range parsed(t.Minions) {
			list.Next()
			if err := m.write(list); err != nil {
				return err
			}
		}
		list.Close(']')
	}
	jsontext.Raw(out, string(rest))
	_ = out.WriteByte('\n')
	return out.Flush()
}

// parsedMinion is a minion with all of its result.
type parsedMinion struct {
	*Minion
	result highstate.Result
	err    error // why the result is not complete
}

const (
	ahead    = 2       // how many results are parsed while the caller writes one
	maxAhead = 2 << 20 // size of the largest result for which that is done, in bytes
)

// parsed yields minions with their results, each valid until the next. It parses the next
// results from the file while the caller writes one.
func parsed(minions []*Minion) iter.Seq[parsedMinion] {
	return func(yield func(parsedMinion) bool) {
		const places = ahead + 1
		var buffers [places]Results
		var large Results // one for all of them: they take much memory
		var done [places]chan parsedMinion
		for i := range done {
			done[i] = make(chan parsedMinion, 1)
		}
		small := func(i int) bool { return minions[i].details.size <= maxAhead }
		parse := func(i int) {
			into := &buffers[i%places]
			if !small(i) {
				into = &large
			}
			result, err := into.Of(minions[i])
			done[i%places] <- parsedMinion{minions[i], result, err}
		}
		next := 0 // to parse
		for i := range minions {
			if next == i {
				parse(i)
				next++
			}
			m := <-done[i%places]
			for ; next < len(minions) && next <= i+ahead && small(i) && small(next) && minions[next].details.inFile; next++ {
				go parse(next)
			}
			if !yield(m) {
				for i++; i < next; i++ {
					<-done[i%places] // the file may be closed now
				}
				return
			}
		}
	}
}

// upTo writes JSON up to the first empty list of a name in a target, and opens the list.
// It leaves in rest what follows.
func upTo(name string, out *bufio.Writer, rest *[]byte) *jsontext.Writer {
	// No text of JSON contains a line end, so this matches nothing else.
	before, after, _ := bytes.Cut(*rest, []byte("\n      \""+name+`": []`))
	*rest = after
	jsontext.Raw(out, string(before)+"\n      \""+name+`": `)
	list := jsontext.At(out, 3)
	list.Open('[')
	return list
}

// encode returns a value as indented JSON, without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// maxIndented is the size in bytes of the largest result that is indented, since
// indenting can make a deeply nested one many times larger.
const maxIndented = 1 << 20

// WriteJSON writes a minion in one line, with the members that [Report.WriteJSON]
// writes. Flush returns the error of the writer.
func (r *Results) WriteJSON(w *bufio.Writer, m *Minion) error {
	result, err := r.Of(m)
	return parsedMinion{m, result, err}.write(&jsontext.Writer{Out: w, Compact: true})
}

// write writes a minion state by state. Package json would hold its JSON in memory,
// several times.
func (m parsedMinion) write(w *jsontext.Writer) error {
	result := m.result
	tail := struct {
		Retcode    int              `json:"retcode"`
		JID        string           `json:"jid,omitempty"`
		Counts     highstate.Counts `json:"counts"`
		Reported   *time.Time       `json:"reported,omitempty"`
		Incomplete string           `json:"incomplete,omitempty"`
	}{result.Retcode, result.JID, m.Counts, m.Reported, ""}
	if m.err != nil {
		tail.Incomplete = m.err.Error()
	}
	rest, err := encode(tail)
	if err != nil {
		return err
	}
	compact, compactState := w.Compact, w.Compact || m.details.compact
	w.Compact = compactState
	w.Open('{')
	w.Text("id", m.ID)
	w.Text("status", string(result.Status))
	if len(result.States) > 0 {
		w.Name("states")
		w.Open('[')
		for i := range result.States {
			w.Compact = compact // a line for each state, since writers hold back long lines
			w.Next()
			w.Compact = compactState
			writeState(w, &result.States[i])
		}
		w.Close(']')
	}
	w.Texts("messages", result.Messages)
	w.Members(string(rest))
	w.Close('}')
	w.Compact = compact
	return nil
}

func writeState(w *jsontext.Writer, s *highstate.State) {
	outcome, _ := s.Outcome.MarshalText() // it cannot fail
	w.Open('{')
	w.Text("id", s.ID)
	w.Text("function", s.Function)
	w.Text("name", s.Name)
	w.TextIfAny("sls", s.SLS)
	w.Text("outcome", string(outcome))
	w.TextIfAny("comment", s.Comment)
	if len(s.Changes) > 0 {
		w.Name("changes")
		w.Value(s.Changes)
	}
	w.Texts("warnings", s.Warnings)
	w.TextIfAny("start", s.Start)
	w.Number("durationMs", float64(s.Duration)/float64(time.Millisecond))
	w.Close('}')
}

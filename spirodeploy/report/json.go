package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"slices"
)

// WriteJSON writes the report as indented JSON; docs/report.md describes its
// members. The errors are those of w.
func (r *Report) WriteJSON(w io.Writer) error {
	// Events and minions may be many and large: all is encoded without them, and
	// each is then written in its place.
	frame := *r
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
	out := jsonWriter{out: bufio.NewWriterSize(w, 64<<10)} // which remembers the first error
	for _, t := range r.Targets {
		rest = out.upTo("events", rest)
		for i := range t.Events {
			out.next()
			if err := out.event(&t.Events[i]); err != nil {
				return err
			}
		}
		out.close(']')
		rest = out.upTo("minions", rest)
		for _, m := range t.Minions {
			out.next()
			if err := out.minion(m); err != nil {
				return err
			}
		}
		out.close(']')
	}
	write(out.out, string(rest))
	_ = out.out.WriteByte('\n')
	return out.out.Flush()
}

// upTo writes JSON up to the first empty list of that name in a target, which it
// opens, and returns what is to come after it.
func (w *jsonWriter) upTo(name string, all []byte) (rest []byte) {
	// A line end is none of a text's in JSON: it cannot be anything else.
	before, after, _ := bytes.Cut(all, []byte("\n      \""+name+`": []`))
	write(w.out, string(before))
	w.depth, w.filled = 3, false
	w.line()
	_, _ = w.out.WriteString(`"` + name + `": `)
	w.open('[')
	return after
}

func (w *jsonWriter) event(e *Event) error {
	when, err := json.Marshal(e.Time)
	if err != nil {
		return err
	}
	w.open('{')
	w.text("event", e.Name)
	w.name("time")
	w.value(when)
	w.textIfAny("msg", e.Msg)
	w.textIfAny("minion", e.Minion)
	w.textIfAny("data", e.Data)
	w.close('}')
	return nil
}

// encode returns a value as indented JSON; nothing is escaped for HTML.
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

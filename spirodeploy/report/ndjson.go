package report

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// NDJSON writes a run while it goes on, for programs that follow it: one JSON
// object on each line (https://github.com/ndjson/ndjson-spec), written whole as
// soon as what it tells has happened. docs/report.md describes the lines.
type NDJSON struct {
	out     jsonWriter
	err     error
	began   bool
	events  map[string]int       // by target
	carried map[string]time.Time // by target: when a line told last how far the upload is
}

// NewNDJSON returns one that writes to w. Its Watch is a [Watcher].
func NewNDJSON(w io.Writer) *NDJSON {
	return &NDJSON{out: jsonWriter{out: bufio.NewWriterSize(w, 64<<10), compact: true}, events: map[string]int{}, carried: map[string]time.Time{}}
}

// The lines, but for that of a minion. Their types are in docs/report.md.
type (
	beginLine struct {
		Type          string    `json:"type"`
		Time          time.Time `json:"time"`
		SchemaVersion int       `json:"schemaVersion"`
	}
	stageLine struct {
		Type   string    `json:"type"`
		Time   time.Time `json:"time"`
		Target string    `json:"target,omitempty"`
		Stage  Stage     `json:"stage"`
		Text   string    `json:"text,omitempty"`
		Error  string    `json:"error,omitempty"`
	}
	progressLine struct {
		Type   string    `json:"type"`
		Time   time.Time `json:"time"`
		Target string    `json:"target,omitempty"`
		Stage  Stage     `json:"stage"`
		Sent   int64     `json:"sent"`
		Total  int64     `json:"total"`
	}
	eventLine struct {
		Type    string    `json:"type"`
		Time    time.Time `json:"time"`
		Target  string    `json:"target,omitempty"`
		Stage   Stage     `json:"stage"`
		Event   string    `json:"event"`
		Msg     string    `json:"msg,omitempty"`
		Minions []string  `json:"minions,omitempty"`
		Data    string    `json:"data,omitempty"`
	}
	endLine struct {
		Type       string    `json:"type"`
		Time       time.Time `json:"time"`
		Verdict    Verdict   `json:"verdict"`
		ExitStatus int       `json:"exitStatus"`
		Targets    []endOf   `json:"targets"`
	}
	endOf struct {
		Name       string   `json:"name,omitempty"`
		Server     string   `json:"server"`
		Saltenv    string   `json:"saltenv"`
		Bundle     Bundle   `json:"bundle"`
		Verdict    Verdict  `json:"verdict"`
		ExitStatus int      `json:"exitStatus"`
		Summary    string   `json:"summary"`
		Error      string   `json:"error,omitempty"`
		Warnings   []string `json:"warnings,omitempty"`
	}
)

// often is the least time between two lines that tell how far the upload is.
const often = time.Second

// Watch writes the line about an update, if there is one. That it cannot be
// written is told by End.
func (n *NDJSON) Watch(u Update) {
	if !n.began {
		n.began = true
		n.line(beginLine{"begin", u.Time, SchemaVersion})
	}
	switch u.Kind {
	case Began:
		n.line(stageLine{"began", u.Time, u.Target, u.Stage, u.Text, ""})
	case Ended:
		failed := ""
		if u.Err != nil {
			failed = u.Err.Error()
		}
		n.line(stageLine{"ended", u.Time, u.Target, u.Stage, u.Text, failed})
	case Warned:
		n.line(stageLine{"warning", u.Time, u.Target, u.Stage, u.Text, ""})
	case Progressed:
		if u.Sent == u.Total || u.Time.Sub(n.carried[u.Target]) >= often {
			n.carried[u.Target] = u.Time
			n.line(progressLine{"progress", u.Time, u.Target, u.Stage, u.Sent, u.Total})
		}
	case Happened:
		n.happened(u)
	case Missed:
		n.minion(u, "not-reached")
	case Waited:
	}
}

// happened writes an event, and the minion whose result it is.
func (n *NDJSON) happened(u Update) {
	switch n.events[u.Target]++; {
	case n.events[u.Target] == maxStory:
		n.line(stageLine{"warning", u.Time, u.Target, u.Stage, "the server sends more events than are told", ""})
		return
	case n.events[u.Target] > maxStory:
		return
	}
	e := u.Event
	if u.Minion != nil {
		n.minion(u, client.HighstateUpdate)
		return
	}
	line := eventLine{"event", u.Time, u.Target, u.Stage, e.Name, bothEnds(e.Msg, maxText), e.Minions, ""}
	if !client.IsKnown(e.Name) {
		line.Data = e.Data
	}
	n.line(line)
}

// minion writes a minion as the JSON report has it, and the event that tells of it.
func (n *NDJSON) minion(u Update, event string) {
	n.out.open('{')
	err := n.out.members(eventLine{"minion", u.Time, u.Target, u.Stage, event, "", nil, ""})
	n.out.name("minion")
	n.note(err)
	n.note(n.out.minion(u.Minion))
	n.out.close('}')
	n.end()
}

// line writes a small value.
func (n *NDJSON) line(v any) {
	b, err := json.Marshal(v)
	n.note(err)
	n.out.value(b)
	n.end()
}

// end ends a line, which is then with whoever reads.
func (n *NDJSON) end() {
	n.out.depth, n.out.filled = 0, false
	_ = n.out.out.WriteByte('\n')
	n.note(n.out.out.Flush())
}

// note keeps the first error.
func (n *NDJSON) note(err error) {
	if n.err == nil {
		n.err = err
	}
}

// End writes the last line, the verdict. It returns the first error of all that
// was written.
func (n *NDJSON) End(r *Report) error {
	line := endLine{"verdict", r.Finished, r.Verdict, r.ExitStatus, []endOf{}}
	for _, t := range r.Targets {
		line.Targets = append(line.Targets, endOf{t.Name, t.Server, t.Saltenv, t.Bundle, t.Verdict, t.ExitStatus, t.Summary, t.Error, t.Warnings})
	}
	n.line(line)
	return n.err
}

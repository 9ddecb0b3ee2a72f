package view

import (
	"bufio"
	"encoding/json"
	"io"
	"time"

	"github.com/spirostack/spirodeploy/internal/jsontext"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// NDJSON returns a watcher that writes a run for programs: one JSON object per line
// (https://github.com/ndjson/ndjson-spec), as soon as it happens. docs/report.md
// describes the lines. After an error of w, it writes nothing more.
func NDJSON(w io.Writer) report.Watcher {
	out := bufio.NewWriterSize(w, 64<<10) // which remembers the first error
	n := &ndjson{Writer: jsontext.Writer{Out: out, Compact: true}, events: map[string]int{}, carried: map[string]time.Time{}}
	return n.watch
}

type ndjson struct {
	jsontext.Writer
	results report.Results
	began   bool
	events  map[string]int       // by target
	carried map[string]time.Time // by target: when the last progress line was written
}

type (
	// ndjsonLine is a line, except for the minion of a "minion" line.
	ndjsonLine struct {
		Type          string         `json:"type"`
		Time          time.Time      `json:"time"`
		SchemaVersion int            `json:"schemaVersion,omitempty"`
		Target        string         `json:"target,omitempty"`
		Stage         report.Stage   `json:"stage,omitempty"`
		Text          string         `json:"text,omitempty"`
		Error         string         `json:"error,omitempty"`
		Sent          *int64         `json:"sent,omitempty"`
		Total         *int64         `json:"total,omitempty"`
		Event         string         `json:"event,omitempty"`
		Msg           string         `json:"msg,omitempty"`
		Minions       []string       `json:"minions,omitempty"`
		Data          string         `json:"data,omitempty"`
		Verdict       report.Verdict `json:"verdict,omitempty"`
		ExitStatus    *int           `json:"exitStatus,omitempty"`
		Targets       []endOf        `json:"targets,omitzero"`
	}
	// endOf is how a target ended.
	endOf struct {
		Name       string         `json:"name,omitempty"`
		Server     string         `json:"server"`
		Saltenv    string         `json:"saltenv"`
		Bundle     report.Bundle  `json:"bundle"`
		Verdict    report.Verdict `json:"verdict"`
		ExitStatus int            `json:"exitStatus"`
		Summary    string         `json:"summary"`
		Error      string         `json:"error,omitempty"`
		Warnings   []string       `json:"warnings,omitempty"`
	}
)

// often is the shortest time between two progress lines.
const often = time.Second

func (n *ndjson) watch(u report.Update) {
	if !n.began {
		n.began = true
		n.write(ndjsonLine{Type: "begin", Time: u.Time, SchemaVersion: report.SchemaVersion}, nil)
	}
	line := ndjsonLine{Type: string(u.Kind), Time: u.Time, Target: u.Target, Stage: u.Stage}
	switch u.Kind {
	case report.Began:
		line.Text = u.Text
	case report.Ended:
		if line.Error = u.Failure(); line.Error == "" {
			line.Text = u.Text
		}
	case report.Warned:
		line.Type, line.Text = "warning", u.Text
	case report.Progressed:
		if u.Sent != u.Total && u.Time.Sub(n.carried[u.Target]) < often {
			return
		}
		n.carried[u.Target] = u.Time
		line.Type, line.Sent, line.Total = "progress", &u.Sent, &u.Total
	case report.Happened:
		if !n.event(u, &line) {
			return
		}
	case report.Missed:
		line.Type, line.Event = "minion", "not-reached"
	case report.Finished:
		line = ndjsonLine{Type: "verdict", Time: u.Report.Finished, Verdict: u.Report.Verdict, ExitStatus: &u.Report.ExitStatus}
		line.Targets = each(u.Report.Targets, func(t *report.Target) endOf {
			return endOf{t.Name, t.Server, t.Saltenv, t.Bundle, t.Verdict, t.ExitStatus, t.Summary, t.Error, t.Warnings}
		})
	case report.Waited:
		return
	}
	n.write(line, u.Minion)
}

// event fills in the line of an event, and reports whether there is one.
func (n *ndjson) event(u report.Update, line *ndjsonLine) bool {
	e := u.Event
	n.events[u.Target]++
	switch count := n.events[u.Target]; {
	case count > maxStory:
		return false
	case count == maxStory:
		line.Type, line.Text = "warning", "the server sends more events than are told"
	case u.Minion != nil:
		line.Type, line.Event = "minion", client.HighstateUpdate
	default:
		line.Type, line.Event, line.Msg, line.Minions = "event", e.Name, sanitize.BothEnds(e.Msg, maxShown), e.Minions
		if !client.IsKnown(e.Name) {
			line.Data = e.Data
		}
	}
	return true
}

// write writes a line, with a minion if it is about one.
func (n *ndjson) write(line ndjsonLine, m *report.Minion) {
	b, _ := json.Marshal(line) // which cannot fail
	n.Open('{')
	n.Members(string(b))
	if m != nil && line.Type == "minion" {
		n.Name("minion")
		_ = n.results.WriteJSON(n.Out, m) // Flush returns the error of the writer
	}
	n.Close('}')
	n.Reset()
	_ = n.Out.WriteByte('\n')
	_ = n.Out.Flush() // the caller's writer knows of an error
}

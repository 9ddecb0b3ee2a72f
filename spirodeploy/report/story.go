package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Story returns a Watcher that tells people what happens, as it happens: a line
// for each step, and one for each minion. What cannot be written is lost, and so
// is what a server says without end.
func Story(w io.Writer) Watcher {
	events := 0
	return func(u Update) {
		line := u.line()
		if u.Kind == Happened && line != "" {
			if events++; events == maxStory {
				line = "warning: the server sends more events than are shown"
			} else if events > maxStory {
				return
			}
		}
		if line != "" {
			_, _ = io.WriteString(w, line+"\n") // a run must not end because nobody reads
		}
	}
}

const (
	maxStory = 2 * client.MaxMinions // events that a story tells of
	maxLine  = 4 << 10               // of a line of it, in bytes as they came
	maxShown = 64 << 10              // of a text in the summary, in bytes as they came
)

// line returns what to tell of an update, or "".
func (u Update) line() string {
	switch u.Kind {
	case Warned:
		return "warning: " + plain.Line(u.Text)
	case Began, Ended:
		if u.Err != nil || u.Text == "" {
			return "" // errors are told at the end
		}
		return fmt.Sprintf("%-9s %s", u.Stage, plain.Line(u.Text))
	case Happened:
		return fmt.Sprintf("%-9s %s", u.Stage, u.told())
	case Progressed:
	}
	return ""
}

// told returns an event as a line.
func (u Update) told() string {
	switch {
	case u.Minion != nil:
		return u.Minion.line()
	case u.Event.Msg == "":
		return oneLine(u.Event.Name + " " + strings.TrimSpace(u.Event.Data))
	case u.Event.Name == client.Exception:
		return "the server failed: " + oneLine(trimRight(u.Event.Msg))
	}
	return oneLine(trimRight(u.Event.Msg))
}

// oneLine returns the beginning of a text, in a line.
func oneLine(s string) string { return plain.Line(plain.Clip(s, maxLine)) }

// line returns what became of a minion, in a line.
func (m *Minion) line() string {
	id := plain.Line(m.ID)
	c := m.Counts
	switch m.Status {
	case highstate.Succeeded:
		return fmt.Sprintf("%s succeeded: %s in %s", id, counted(c), seconds(c.Duration))
	case highstate.Failed:
		if c.Total > 0 {
			return fmt.Sprintf("%s FAILED: %s in %s", id, counted(c), seconds(c.Duration))
		}
		return fmt.Sprintf("%s FAILED: %s", id, oneLine(firstLine(m.Messages)))
	case highstate.NotCompiled:
		return fmt.Sprintf("%s FAILED, no state ran: %s", id, oneLine(firstLine(m.Messages)))
	case highstate.NoAnswer:
		return id + " FAILED: it did not answer"
	}
	return id + " did not report"
}

func counted(c highstate.Counts) string {
	parts := []string{plural(c.Total, "state")}
	if c.Changed > 0 || c.Failed == 0 {
		parts = append(parts, fmt.Sprintf("%d changed", c.Changed))
	}
	if c.Pending > 0 {
		parts = append(parts, fmt.Sprintf("%d would change", c.Pending))
	}
	if c.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", c.Failed))
	}
	return strings.Join(parts, ", ")
}

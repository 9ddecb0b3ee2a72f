package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// StoryOptions say how a story is told.
type StoryOptions struct {
	// Quiet tells warnings alone; default: all there is to tell.
	Quiet bool
	// Color colours what became of a minion, with the escape sequences of ANSI; default: not.
	Color bool
	// Log is whose log it goes to, which must not take what a server says for
	// its own commands; default: none that has any.
	Log Log
	// Live means that something else shows the time, how far the upload is, and
	// who is awaited; default: lines tell.
	Live bool
}

// Story returns a Watcher that tells people what happens, as it happens: a line
// for each step, one for each minion, and now and then one that tells how far the
// upload is or who is awaited. Each begins with the time. What cannot be written
// is lost, and so is what a server says without end.
func Story(w io.Writer, o StoryOptions) Watcher {
	s := &story{StoryOptions: o, out: w, parts: map[string]*part{}}
	return s.watch
}

// story is one that is being told.
type story struct {
	StoryOptions
	out   io.Writer
	parts map[string]*part // by target, which is "" where there is only one
}

// part is what a story remembers of one target.
type part struct {
	progress Progress
	events   int
	told     time.Time // when the last line came that tells how far the stage is
}

const (
	maxStory = 2 * client.MaxMinions // events that a story tells of
	maxLine  = 4 << 10               // of a line of it, in bytes as they came
	maxShown = 64 << 10              // of a text in the summary, in bytes as they came

	soonest = 10 * time.Second // between two lines that tell how far the upload is
	latest  = 30 * time.Second // between two lines that tell who is awaited
	// waitedEarly is how early an update of the kind Waited counts as one that came in time.
	waitedEarly = time.Second
)

func (s *story) watch(u Update) {
	line := s.line(u)
	if s.Quiet && u.Kind != Warned {
		return
	}
	if u.Kind == Happened && line != "" {
		of := s.parts[u.Target]
		if of.events++; of.events == maxStory {
			line = "warning: the server sends more events than are shown"
		} else if of.events > maxStory {
			return
		}
	}
	if line == "" {
		return
	}
	if u.Target != "" {
		line = "[" + sanitize.Line(u.Target) + "] " + line
	}
	line = s.Log.Harmless(line)
	if !s.Live {
		line = u.Time.Format(time.TimeOnly) + " " + line
	}
	_, _ = io.WriteString(s.out, line+"\n") // a run must not end because nobody reads
}

// line returns what to tell of an update, or "".
func (s *story) line(u Update) string {
	of := s.parts[u.Target]
	if of == nil {
		of = &part{told: u.Time}
		s.parts[u.Target] = of
	}
	of.progress.Watch(u)
	switch u.Kind {
	case Began:
		return staged(u)
	case Warned:
		return palette(s.Color).paint(inYellow, "warning: "+sanitize.Line(u.Text))
	case Ended:
		return staged(u)
	case Happened:
		return fmt.Sprintf("%-9s %s", u.Stage, s.event(u))
	case Missed:
		return fmt.Sprintf("%-9s %s", u.Stage, s.minion(u.Minion))
	case Progressed, Waited:
		return s.standing(of, u)
	}
	return ""
}

// staged returns what the beginning or end of a stage says for itself. Errors are
// told at the end of the run.
func staged(u Update) string {
	if u.Err != nil || u.Text == "" {
		return ""
	}
	return fmt.Sprintf("%-9s %s", u.Stage, sanitize.Line(u.Text))
}

// standing returns how far the stage is, if it is time to tell.
func (s *story) standing(of *part, u Update) string {
	p := &of.progress
	often := latest
	if p.Moving() {
		often = soonest
	}
	if u.Kind == Waited {
		often -= waitedEarly
	}
	if s.Live || u.Time.Sub(of.told) < often {
		return ""
	}
	of.told = u.Time
	if p.Moving() {
		return fmt.Sprintf("%-9s %s", p.Stage, p.Transfer(u.Time))
	}
	line := fmt.Sprintf("%-9s %s since %s (%s)", p.Stage, p.Waiting(), p.Moved.Format(time.TimeOnly), human.Elapsed(u.Time.Sub(p.Moved)))
	if u.Silence > 0 {
		line += "; the run ends if nothing comes for " + human.Elapsed(u.Silence)
	}
	return line
}

// event returns an event as a line.
func (s *story) event(u Update) string {
	switch {
	case u.Minion != nil:
		return s.minion(u.Minion)
	case u.Event.Msg == "":
		return oneLine(u.Event.Name + " " + strings.TrimSpace(u.Event.Data))
	case u.Event.Name == client.Exception:
		return palette(s.Color).paint(inRed, "the server failed: "+oneLine(trimRight(u.Event.Msg)))
	}
	return oneLine(trimRight(u.Event.Msg))
}

// oneLine returns the beginning of a text, in a line.
func oneLine(s string) string { return sanitize.Line(sanitize.Clip(s, maxLine)) }

// minion returns what became of a minion, in the colour of that.
func (s *story) minion(m *Minion) string {
	switch {
	case m.Status != highstate.Succeeded:
		return palette(s.Color).paint(inRed, m.line())
	case m.Counts.Changed > 0:
		return palette(s.Color).paint(inCyan, m.line())
	}
	return palette(s.Color).paint(inGreen, m.line())
}

// line returns what became of a minion, in a line: of one that failed, why.
func (m *Minion) line() string {
	id := sanitize.Line(m.ID)
	c := m.Counts
	switch m.Status {
	case highstate.Succeeded:
		return fmt.Sprintf("%s succeeded: %s in %s", id, counted(c), seconds(c.Duration))
	case highstate.Failed:
		if c.Total > 0 {
			return fmt.Sprintf("%s FAILED: %s; %s in %s", id, cmp.Or(m.root(), fmt.Sprintf("Salt's return code is %d", m.Retcode)), counted(c), seconds(c.Duration))
		}
		return fmt.Sprintf("%s FAILED: %s", id, oneLine(firstLine(m.Messages)))
	case highstate.NotCompiled:
		return fmt.Sprintf("%s FAILED, no state ran: %s", id, oneLine(firstLine(m.Messages)))
	case highstate.NoAnswer:
		return id + " FAILED: it did not answer"
	case highstate.NotReached:
		return id + " FAILED: it was expected, and was not reached"
	case highstate.Unreported:
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

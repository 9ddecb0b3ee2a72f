package view

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
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// StoryOptions are the options of [Story].
type StoryOptions struct {
	// Quiet writes warnings only, without minor ones; default: everything.
	Quiet bool
	// Color colours minions by their result, with the escape sequences of ANSI; default: no
	// colours.
	Color bool
	// Log is the CI service that the story goes to, which must not take the text of a
	// server for its own commands; default: none.
	Log Log
	// Live leaves out the time, the progress and the awaited minions, since a display shows
	// them; default: the story tells them.
	Live bool
}

// Story returns a watcher that writes a run for people: a line with the time for each
// step and each minion, and now and then one about the progress. A story loses the lines
// that w does not take, and the events of a server that sends too many.
func Story(w io.Writer, o StoryOptions) report.Watcher {
	s := &story{StoryOptions: o, out: w, parts: map[string]*part{}}
	return s.watch
}

type story struct {
	StoryOptions
	out   io.Writer
	parts map[string]*part // by target, which is "" if there is only one
}

// part is the state of a story for one target.
type part struct {
	progress report.Progress
	events   int
	told     time.Time // when the last line about the progress was written
}

const (
	maxStory = 2 * client.MaxMinions // events in a story
	maxLine  = 4 << 10               // of a line, in bytes before escapes
	maxShown = 64 << 10              // of a text in a summary, in bytes before escapes

	soonest = 10 * time.Second // between two lines about an upload
	latest  = 30 * time.Second // between two lines about awaited minions
	// waitedEarly is how early a Waited update may come and still count as in time.
	waitedEarly = time.Second
)

func (s *story) watch(u report.Update) {
	line := s.line(u)
	if s.Quiet && (u.Kind != report.Warned || u.Minor) {
		return
	}
	if u.Kind == report.Happened && line != "" {
		of := s.parts[u.Target]
		if of.events++; of.events == maxStory {
			line = "warning: the server sends more events than are shown"
		} else if of.events > maxStory {
			return
		}
	}
	s.tell(u, line)
	if u.Kind == report.Finished {
		for _, t := range u.Report.Targets {
			if len(u.Report.Targets) > 1 {
				u.Target = t.Name
			}
			s.tell(u, s.unreported(t))
		}
	}
}

// tell writes the line of an update, if it has one.
func (s *story) tell(u report.Update, line string) {
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
	_, _ = io.WriteString(s.out, line+"\n") // a closed output must not end the run
}

// line returns the line of an update, or "".
func (s *story) line(u report.Update) string {
	of := s.parts[u.Target]
	if of == nil {
		of = &part{told: u.Time}
		s.parts[u.Target] = of
	}
	of.progress.Watch(u)
	switch u.Kind {
	case report.Began, report.Ended:
		if u.Err == nil { // the summary shows errors
			return staged(u.Stage, sanitize.Line(u.Text))
		}
	case report.Warned:
		return palette(s.Color).paint(inYellow, "warning: "+sanitize.Line(u.Text))
	case report.Happened:
		return staged(u.Stage, s.event(u))
	case report.Missed:
		return staged(u.Stage, s.minion(u.Minion))
	case report.Progressed, report.Waited:
		return staged(of.progress.Stage, s.standing(of, u))
	}
	return ""
}

// staged puts the stage before a text, if there is one.
func staged(stage report.Stage, text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%-9s %s", stage, text)
}

// standing describes the progress if that is due.
func (s *story) standing(of *part, u report.Update) string {
	p := &of.progress
	often := latest
	if p.Moving() {
		often = soonest
	}
	if u.Kind == report.Waited {
		often -= waitedEarly
	}
	if s.Live || u.Time.Sub(of.told) < often {
		return ""
	}
	of.told = u.Time
	if p.Moving() {
		return p.Transfer(u.Time)
	}
	line := fmt.Sprintf("%s since %s (%s)", p.Waiting(), p.Moved.Format(time.TimeOnly), human.Elapsed(u.Time.Sub(p.Moved)))
	if u.Silence > 0 {
		line += "; the run ends if nothing comes for " + human.Elapsed(u.Silence)
	}
	return line
}

// event returns an event as a line.
func (s *story) event(u report.Update) string {
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

// unreported returns a line about the minions of a target that never reported. If the server
// failed, that says it.
func (s *story) unreported(t *report.Target) string {
	ids := t.IDs(highstate.Unreported)
	if len(ids) == 0 || t.Verdict == report.ServerFailed {
		return ""
	}
	text := fmt.Sprintf("%d of %s did not report: %s", len(ids), human.Plural(len(t.Minions), "minion"), sanitize.Names(ids))
	return staged(report.Highstate, palette(s.Color).paint(inRed, text))
}

// minion returns the line of a minion, coloured by its result.
func (s *story) minion(m *report.Minion) string {
	c := inGreen
	switch {
	case !m.OK():
		c = inRed
	case m.Counts.Changed > 0:
		c = inCyan
	}
	return palette(s.Color).paint(c, minionLine(m))
}

// minionLine returns the result of a minion in one line, and why it failed.
func minionLine(m *report.Minion) string {
	id := sanitize.Line(m.ID)
	c := m.Counts
	switch {
	case m.OK():
		return fmt.Sprintf("%s succeeded: %s in %s", id, counted(c), seconds(c.Duration))
	case m.Status == highstate.Failed && c.Total > 0:
		return fmt.Sprintf("%s FAILED: %s; %s in %s", id, cmp.Or(m.Headline(), fmt.Sprintf("Salt's return code is %d", m.Retcode)), counted(c), seconds(c.Duration))
	case m.Status == highstate.Failed:
		return fmt.Sprintf("%s FAILED: %s", id, oneLine(firstLine(m.Messages)))
	case m.Status == highstate.NotCompiled:
		return fmt.Sprintf("%s FAILED, no state ran: %s", id, oneLine(firstLine(m.Messages)))
	case m.Status == highstate.NoAnswer:
		return id + " FAILED: it did not answer"
	case m.Status == highstate.NotReached:
		return id + " FAILED: it was expected, and was not reached"
	}
	return id + " did not report"
}

func counted(c highstate.Counts) string {
	changed := fmt.Sprintf("%d changed", c.Changed)
	if c.Failed > 0 {
		changed = ifAny(c.Changed, changed)
	}
	return joined(", ", human.Plural(c.Total, "state"), changed,
		ifAny(c.Pending, fmt.Sprintf("%d would change", c.Pending)), ifAny(c.Failed, fmt.Sprintf("%d failed", c.Failed)))
}

// Package display shows on a terminal where a run stands: below the lines that
// scroll by, one with a bar while bytes are on their way, and one for each minion
// that has not reported.
package display

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/vbauerster/cupwriter"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Screen shows one run. It is a writer of lines, which scroll by.
type Screen struct {
	out    *os.File
	redact func(string) string
	bars   *mpb.Progress
	bar    *mpb.Bar // the only one

	mu       sync.Mutex
	targets  []string // sorted; "" is what concerns all
	progress map[string]*report.Progress
	of       int             // how many targets there are
	over     map[string]bool // those that have come to an end
	rows     []string        // for the minions; made with the first row of a frame
	begun    []byte          // of a line that has no end yet
	closed   bool
}

// usualWidth is that of a terminal that does not tell it.
const usualWidth = 80

// maxRows is how many minions have a row of their own.
const maxRows = 10

// New begins to show a run with so many targets. What is shown of names that come
// from elsewhere goes through redact.
func New(out *os.File, targets int, redact func(string) string) *Screen {
	s := &Screen{out: out, of: targets, redact: redact, progress: map[string]*report.Progress{}, over: map[string]bool{}}
	s.bars = mpb.New(mpb.WithConsoleWriter(tall{cupwriter.New(out, false)}), mpb.WithRefreshRate(100*time.Millisecond))
	minions := make([]mpb.BarFiller, maxRows)
	for i := range minions {
		minions[i] = mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error { return s.minion(w, i) })
	}
	// One bar that never ends, which is drawn as what there is to show.
	s.bar, _ = s.bars.Add(0, s.stage(mpb.BarStyle().Build()), mpb.BarFillerTrim(), mpb.BarBtmExtender(minions...)) // it cannot be too late yet
	return s
}

// tall is a terminal with room for all rows that there can be. mpb miscounts rows
// that are empty where it has to leave some out (v8.16); here, none are drawn that
// have no room.
type tall struct{ *cupwriter.Writer }

func (t tall) GetTermSize() (width, height int, err error) {
	width, height, err = t.Writer.GetTermSize()
	if width == 0 { // of a terminal that was given no size
		width = usualWidth
	}
	return width, max(height, maxRows+2), err
}

// Watch takes in what happens: it is a [report.Watcher].
func (s *Screen) Watch(u report.Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.progress[u.Target]
	if p == nil {
		p = new(report.Progress)
		s.progress[u.Target] = p
		at, _ := slices.BinarySearch(s.targets, u.Target)
		s.targets = slices.Insert(s.targets, at, u.Target)
	}
	p.Watch(u)
	last := u.Stage == report.Deploying || u.Stage == report.Highstate
	switch {
	case u.Kind == report.Began:
		s.over[u.Target] = false
	case u.Kind == report.Ended && (u.Err != nil || last):
		s.over[u.Target] = true
	}
}

// Write writes lines above all that stays, each when it has come to its end.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.begun = append(s.begun, p...)
	end := bytes.LastIndexByte(s.begun, '\n') + 1
	lines := bytes.Clone(s.begun[:end])
	s.begun = append(s.begun[:0], s.begun[end:]...)
	s.mu.Unlock() // drawing needs it
	if len(lines) == 0 {
		return len(p), nil
	}
	if _, err := s.bars.Write(lines); err == nil {
		return len(p), nil
	}
	// It is closed, or the terminal does not say how large it is.
	_, err := s.out.Write(lines)
	return len(p), err
}

// Close leaves the lines that scrolled by, and nothing else. To call it again
// does nothing.
func (s *Screen) Close() {
	s.mu.Lock()
	closed, begun := s.closed, s.begun
	s.closed, s.begun = true, nil
	s.mu.Unlock()
	if closed {
		return
	}
	s.bar.Abort(true)
	s.bars.Wait()
	_, _ = s.out.Write(begun) // as all that is shown
}

// stage draws the line about the stage, with a bar where there is one to draw.
func (s *Screen) stage(bar mpb.BarFiller) mpb.BarFiller {
	return mpb.BarFillerFunc(func(w io.Writer, stat decor.Statistics) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		now, p := time.Now(), s.progress[""]
		s.rows = nil
		if p == nil {
			return nil
		}
		if len(s.targets) > 1 { // what concerns all, and one that has begun
			return s.line(w, stat.AvailableWidth, s.several(now))
		}
		name := fmt.Sprintf("%-9s ", p.Stage)
		if !p.Moving() {
			return s.line(w, stat.AvailableWidth, name+s.standing(p, now))
		}
		text := p.Transfer(now)
		// A bar is worth the room that is left, if that shows anything.
		const least, most = 12, 40
		room := min(most, stat.AvailableWidth-1-runewidth.StringWidth(name+" "+text))
		if room < least {
			return s.line(w, stat.AvailableWidth, name+text)
		}
		if _, err := io.WriteString(w, name); err != nil {
			return err
		}
		stat.AvailableWidth, stat.RequestedWidth, stat.Current, stat.Total = room, room, p.Sent, p.Total
		if err := bar.Fill(w, stat); err != nil {
			return err
		}
		_, err := io.WriteString(w, " "+text)
		return err
	})
}

// standing says what the run waits for, and makes the rows of minions.
func (s *Screen) standing(p *report.Progress, now time.Time) string {
	if p.Stage == "" {
		return ""
	}
	room := s.room()
	ids, left, all := p.Awaited(room + 1)
	since := human.Elapsed(now.Sub(p.Moved))
	if left == 0 {
		return p.Waiting() + "  " + since
	}
	if left > room { // the last row is for the others
		ids = ids[:room-1]
	}
	for _, id := range ids {
		s.rows = append(s.rows, fmt.Sprintf("%-9s %s  %s", "", s.name(id), since))
	}
	if more := left - len(ids); more > 0 {
		s.rows = append(s.rows, fmt.Sprintf("%-9s … and %s more", "", human.Thousands(more)))
	}
	return awaited(left, all) + "  " + since
}

// several says how many targets are still at it, and makes a row for each.
func (s *Screen) several(now time.Time) string {
	room, on, since := s.room(), 0, now
	for _, target := range s.targets {
		p := s.progress[target]
		if p.Since.Before(since) {
			since = p.Since
		}
		if target == "" || s.over[target] {
			continue
		}
		if on++; on <= room {
			s.rows = append(s.rows, fmt.Sprintf("%-9s %s  %-9s %s", "", s.name(target), p.Stage, brief(p, now)))
		}
	}
	if on > room {
		s.rows[room-1] = fmt.Sprintf("%-9s … and %s more", "", human.Thousands(on-room+1))
	}
	over := len(s.targets) - 1 - on
	return fmt.Sprintf("waiting for %d of %d targets  %s", s.of-over, s.of, human.Elapsed(now.Sub(since)))
}

// brief says where a target stands.
func brief(p *report.Progress, now time.Time) string {
	if p.Moving() {
		return p.Transfer(now)
	}
	text := p.Waiting()
	if _, left, all := p.Awaited(0); left > 0 {
		text = awaited(left, all)
	}
	return text + "  " + human.Elapsed(now.Sub(p.Moved))
}

// awaited says how many minions have not reported.
func awaited(left, all int) string {
	return fmt.Sprintf("waiting for %s of %s", human.Thousands(left), human.Count(all, "minion", "minions"))
}

// maxName is how much of a name is shown, in bytes.
const maxName = 255

// name returns what is shown of a name that comes from elsewhere.
func (s *Screen) name(from string) string {
	return s.redact(sanitize.Line(sanitize.Clip(from, maxName)))
}

// room returns how many rows there are for minions, at least 1.
func (s *Screen) room() int {
	_, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || height == 0 {
		return maxRows
	}
	return max(1, min(maxRows, height/2))
}

// minion draws a row, which is nothing at all where there is no such minion.
func (s *Screen) minion(w io.Writer, i int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i >= len(s.rows) {
		return nil
	}
	width, _, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width == 0 {
		width = usualWidth
	}
	if err := s.line(w, width, s.rows[i]); err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}

// line writes what fits of a line: one that wrapped would leave its beginning
// behind.
func (s *Screen) line(w io.Writer, width int, text string) error {
	_, err := io.WriteString(w, runewidth.Truncate(text, max(0, width-1), "…"))
	return err
}

// Package display shows the progress of a run on a terminal. Below the lines that scroll
// by, it draws one line with the stage, which has a bar during the upload, and one line
// for each minion that has not reported.
package display

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
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

// Screen shows one run. It is a writer of the lines that scroll by.
type Screen struct {
	out    *os.File
	redact func(string) string
	bars   *mpb.Progress
	bar    *mpb.Bar // the only one

	mu      sync.Mutex
	targets map[string]*target // by name; "" stands for all
	of      int                // the number of targets
	rows    []string           // of the minions; made with the first row of a frame
	begun   []byte             // the beginning of a line without an end
	closing sync.Once
}

type target struct {
	report.Progress
	over bool
}

// usualWidth is the width to assume if a terminal does not tell its own.
const usualWidth = 80

// maxRows limits how many minions have a row of their own.
const maxRows = 10

// New begins to show a run with a number of targets. It passes names from elsewhere
// through redact.
func New(out *os.File, targets int, redact func(string) string) *Screen {
	s := &Screen{out: out, of: targets, redact: redact, targets: map[string]*target{}}
	s.bars = mpb.New(mpb.WithConsoleWriter(tall{cupwriter.New(out, false)}), mpb.WithRefreshRate(100*time.Millisecond))
	minions := make([]mpb.BarFiller, maxRows)
	for i := range minions {
		minions[i] = mpb.BarFillerFunc(func(w io.Writer, _ decor.Statistics) error { return s.minion(w, i) })
	}
	// One bar that never ends draws everything.
	s.bar, _ = s.bars.Add(0, s.stage(mpb.BarStyle().Build()), mpb.BarFillerTrim(), mpb.BarBtmExtender(minions...)) // it fails only after the end
	return s
}

// tall is a terminal that claims to have room for all rows. mpb v8.16 miscounts empty rows
// if it must leave some out. Screen itself draws no rows without room.
type tall struct{ *cupwriter.Writer }

func (t tall) GetTermSize() (width, height int, err error) {
	width, height, err = t.Writer.GetTermSize()
	if width == 0 { // the terminal has no size
		width = usualWidth
	}
	return width, max(height, maxRows+2), err
}

// Watch takes an update. It is a [report.Watcher].
func (s *Screen) Watch(u report.Update) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.targets[u.Target]
	if t == nil {
		t = new(target)
		s.targets[u.Target] = t
	}
	t.Watch(u)
	last := u.Stage == report.Deploying || u.Stage == report.Highstate
	switch {
	case u.Kind == report.Began:
		t.over = false
	case u.Kind == report.Ended && (u.Err != nil || last):
		t.over = true
	}
}

// Write writes lines above the drawn ones, each as soon as it is complete.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.begun = append(s.begun, p...)
	end := bytes.LastIndexByte(s.begun, '\n') + 1
	lines := bytes.Clone(s.begun[:end])
	s.begun = append(s.begun[:0], s.begun[end:]...)
	s.mu.Unlock() // drawing needs the lock
	if len(lines) == 0 {
		return len(p), nil
	}
	if _, err := s.bars.Write(lines); err == nil {
		return len(p), nil
	}
	// The screen is closed, or the terminal does not tell its size.
	_, err := s.out.Write(lines)
	return len(p), err
}

// Close removes everything but the lines that scrolled by. It is idempotent.
func (s *Screen) Close() {
	s.closing.Do(func() {
		s.bar.Abort(true)
		s.bars.Wait() // drawing needs the lock
		s.mu.Lock()
		defer s.mu.Unlock()
		_, _ = s.out.Write(s.begun) // errors of the screen are ignored
		s.begun = nil
	})
}

// stage draws the line of the stage, with a bar during a transfer.
func (s *Screen) stage(bar mpb.BarFiller) mpb.BarFiller {
	return mpb.BarFillerFunc(func(w io.Writer, stat decor.Statistics) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		now, p := time.Now(), s.targets[""]
		s.rows = nil
		if p == nil {
			return nil
		}
		if len(s.targets) > 1 { // "" and a target
			return s.line(w, stat.AvailableWidth, s.several(now))
		}
		name, width := fmt.Sprintf("%-9s ", p.Stage), stat.AvailableWidth
		if !p.Moving() {
			return s.line(w, width, name+s.standing(p, now))
		}
		text := p.Transfer(now)
		// The bar takes the room that is left, if it is enough.
		const least, most = 12, 40
		if room := min(most, width-1-runewidth.StringWidth(name+" "+text)); room >= least {
			var b strings.Builder
			stat.AvailableWidth, stat.RequestedWidth, stat.Current, stat.Total = room, room, p.Sent, p.Total
			_ = bar.Fill(&b, stat) // which fails only if the writer does
			text = b.String() + " " + text
		}
		return s.line(w, width, name+text)
	})
}

// standing says what the run is waiting for, and makes the rows of the minions.
func (s *Screen) standing(p *target, now time.Time) string {
	if p.Stage == "" {
		return ""
	}
	room := s.room()
	ids, left, _ := p.Awaited(room + 1)
	since := human.Elapsed(now.Sub(p.Moved))
	for _, id := range ids {
		s.rows = append(s.rows, fmt.Sprintf("%-9s %s  %s", "", s.name(id), since))
	}
	s.fit(room, left)
	return brief(p, now)
}

// several says how many targets the run is waiting for, and makes a row for each.
func (s *Screen) several(now time.Time) string {
	room, on, since := s.room(), 0, now
	for _, name := range slices.Sorted(maps.Keys(s.targets)) {
		t := s.targets[name]
		if t.Since.Before(since) {
			since = t.Since
		}
		if name == "" || t.over {
			continue
		}
		if on++; on <= room {
			s.rows = append(s.rows, fmt.Sprintf("%-9s %s  %-9s %s", "", s.name(name), t.Stage, brief(t, now)))
		}
	}
	s.fit(room, on)
	over := len(s.targets) - 1 - on
	return fmt.Sprintf("waiting for %d of %d targets  %s", s.of-over, s.of, human.Elapsed(now.Sub(since)))
}

// fit makes the last row count those of so many that have none.
func (s *Screen) fit(room, all int) {
	if all > room {
		s.rows = append(s.rows[:room-1], fmt.Sprintf("%-9s … and %s more", "", human.Thousands(all-room+1)))
	}
}

// brief returns the progress of a target, or of the only one, in a few words.
func brief(p *target, now time.Time) string {
	if p.Moving() {
		return p.Transfer(now)
	}
	text := p.Waiting()
	if _, left, all := p.Awaited(0); left > 0 {
		text = fmt.Sprintf("waiting for %s of %s", human.Thousands(left), human.Plural(all, "minion"))
	}
	return text + "  " + human.Elapsed(now.Sub(p.Moved))
}

// maxName limits how much of a name is shown, in bytes.
const maxName = 255

// name makes a name from elsewhere safe to show.
func (s *Screen) name(from string) string {
	return s.redact(sanitize.Line(sanitize.Clip(from, maxName)))
}

// room returns how many rows the minions may have, at least 1.
func (s *Screen) room() int {
	_, height := s.size()
	return max(1, min(maxRows, height/2))
}

// size returns the size of the terminal, or the usual one if it does not tell its own.
func (s *Screen) size() (width, height int) {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil {
		width, height = 0, 0
	}
	return cmp.Or(width, usualWidth), cmp.Or(height, 2*maxRows)
}

// minion draws the row of a minion, or nothing if there is no such row.
func (s *Screen) minion(w io.Writer, i int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i >= len(s.rows) {
		return nil
	}
	width, _ := s.size()
	if err := s.line(w, width, s.rows[i]); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// line writes as much of a line as fits. The beginning of a line that wraps would stay on
// the screen.
func (s *Screen) line(w io.Writer, width int, text string) error {
	_, err := io.WriteString(w, runewidth.Truncate(text, max(0, width-1), "…"))
	return err
}

package ci

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// screen is where output goes, with a last line that tells what goes on: on a
// terminal it is rewritten all the time; elsewhere it is repeated after a silence.
type screen struct {
	out    io.Writer
	mu     sync.Mutex
	width  int // of the terminal, or 0
	shown  bool
	spoken time.Time
}

// silence is how long output that goes to no terminal says nothing, at most.
const silence = 15 * time.Second

// columns is the width of a terminal, which has at least as many.
const columns = 80

func newScreen(out io.Writer) *screen {
	s := &screen{out: out, spoken: time.Now()}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			s.width = columns
		}
	}
	return s
}

// Write writes above the last line.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	s.spoken = time.Now()
	return s.out.Write(p)
}

// status shows what goes on.
func (s *screen) status(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.width > 0:
		s.erase()
		line := []rune(text)
		fmt.Fprint(s.out, string(line[:min(len(line), s.width-1)]))
		s.shown = true
	case time.Since(s.spoken) >= silence:
		s.spoken = time.Now()
		fmt.Fprintln(s.out, text)
	}
}

// erase erases the last line.
func (s *screen) erase() {
	if s.shown {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.shown = false
	}
}

package view

import (
	"bufio"
	"strings"
)

// palette colours lines with the SGR sequences of ANSI if it is true.
type palette bool

// color is the parameter of an SGR sequence, or "" for none.
type color string

// The colours of Salt (salt 3005, output/highstate.py).
const (
	inRed     color = "31" // failed
	inGreen   color = "32" // as it should be
	inYellow  color = "33" // would change; warnings
	inCyan    color = "36" // changed
	boldRed   color = "1;31"
	boldGreen color = "1;32"
)

// paint colours a line. The colour ends with the line, so that a log can be cut between
// lines.
func (p palette) paint(c color, line string) string {
	if !p || c == "" || line == "" {
		return line
	}
	return "\x1b[" + string(c) + "m" + line + "\x1b[0m"
}

// line is a line for people. Its text is harmless for a terminal.
type line struct {
	color color
	text  string
}

// printer writes lines that are harmless for a log. It remembers the first error of its
// writer.
type printer struct {
	w       *bufio.Writer
	palette palette
	log     Log
	lines   int // written so far
	most    int // allowed; 0 is no limit
}

// full reports whether there are more lines than allowed.
func (p *printer) full() bool { return p.most > 0 && p.lines > p.most }

// print writes a text of one or more lines.
func (p *printer) print(c color, text string) {
	for part := range strings.SplitSeq(text, "\n") {
		p.raw(p.palette.paint(c, p.log.Harmless(part)))
	}
}

// hang writes a text after a head. Its other lines follow pad.
func (p *printer) hang(c color, head, pad, text string) {
	for part := range strings.SplitSeq(text, "\n") {
		if part != "" {
			part = head + part
		}
		p.print(c, part)
		head = pad
	}
}

func (p *printer) all(lines []line) {
	for _, l := range lines {
		p.print(l.color, l.text)
	}
}

// raw writes a line as it is.
func (p *printer) raw(text string) {
	p.lines++
	_, _ = p.w.WriteString(text) // Flush returns the error
	_ = p.w.WriteByte('\n')
}

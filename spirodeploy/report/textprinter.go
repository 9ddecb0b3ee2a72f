package report

import (
	"bufio"
	"strings"
)

// line is one that people are to see. What it says is harmless for a terminal.
type line struct {
	color color
	text  string
}

// printer writes lines, harmless for the log as well. It remembers the first
// error of its writer.
type printer struct {
	w       *bufio.Writer
	palette palette
	log     Log
	lines   int // that have been written
	most    int // how many there may be; 0: any number
}

// full reports whether there are more lines than there may be.
func (p *printer) full() bool { return p.most > 0 && p.lines > p.most }

// print writes a text of one line or more.
func (p *printer) print(c color, text string) {
	for part := range strings.SplitSeq(text, "\n") {
		p.raw(p.palette.paint(c, p.log.Harmless(part)))
	}
}

// hang writes a text behind a head; its further lines come behind pad.
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
	_, _ = p.w.WriteString(text) // Flush has the error
	_ = p.w.WriteByte('\n')
}

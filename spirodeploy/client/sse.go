package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// rawEvent is an event of a stream before it is parsed.
type rawEvent struct {
	name string
	data []byte // the data lines, joined with newlines; the reader of the event owns it
	lost int    // how many bytes of data beyond the limit were dropped
}

const (
	keptHead = 64 << 10 // how much data to keep of an event beyond the limit, in bytes: enough to find its minion
	maxLost  = 16       // reading fails if an event is larger than this many times the limit
	minLine  = 1 << 10  // how much to read of a line whatever the limit, in bytes
)

// errUnfinished means that the stream ended inside an event or a line.
var errUnfinished = errors.New("the stream of events ended in the middle of an event")

// events reads the events of a stream (HTML Living Standard, section 9.2.6). It looks at
// each byte once, however slowly they arrive, and skips events without data.
//
// An event larger than the limit is an error unless it may be the result of a minion: it
// is named so, or has no name before its data. Then the beginning is returned.
type events struct {
	in lines
}

// newEvents returns the events of a stream; limit is in bytes.
func newEvents(r io.Reader, limit int) *events {
	return &events{lines{r: bufio.NewReaderSize(r, bufferSize), limit: limit}}
}

// next returns the next event, or io.EOF at the end. It fails with errUnfinished if the
// stream ends inside an event or a line. The standard ignores such an event, but here the
// verdict depends on it.
func (e *events) next() (rawEvent, error) {
	var event rawEvent
	begun := false
	for {
		line, lost, err := e.in.next(event.size())
		switch {
		case errors.Is(err, io.EOF) && begun:
			return rawEvent{}, errUnfinished
		case err != nil:
			return rawEvent{}, err
		case lost > 0 && !event.mayBeLarge(line):
			return rawEvent{}, tooLargeError{e.in.limit}
		case len(line) > 0:
			begun = event.add(&e.in, line, lost) || begun
		case event.data != nil:
			return event, nil
		default:
			event, begun = rawEvent{}, false
		}
	}
}

// size returns how much of the limit the event uses up.
func (e *rawEvent) size() int { return len(e.name) + len(e.data) + e.lost }

// mayBeLarge reports whether the event may be the result of a minion, if it exceeds the
// limit with this line or did before.
func (e *rawEvent) mayBeLarge(line []byte) bool {
	if bytes.HasPrefix(line, []byte("data:")) {
		return e.name == "" || e.name == HighstateUpdate
	}
	return e.lost > 0 && len(line) < minLine
}

// add adds a line to the event; lost bytes of the line were dropped. It reports whether
// the line belongs to an event: comments and unknown fields do not.
func (e *rawEvent) add(in *lines, line []byte, lost int) bool {
	field, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "event":
		e.name = string(value)
	case "data":
		switch {
		case e.lost > 0:
		case e.data == nil:
			e.data = in.keep(value)
		default:
			e.data = append(append(e.data, '\n'), value...)
		}
		if e.lost += lost; e.lost > 0 && len(e.data) > keptHead {
			e.lost += len(e.data) - keptHead
			e.data = bytes.Clone(e.data[:keptHead])
		}
	default:
		return string(field) == "id"
	}
	return true
}

// lines reads lines that end with CR, LF or both. It returns a line as soon as the end
// arrives, without waiting for the next byte.
type lines struct {
	r       *bufio.Reader
	limit   int
	line    []byte // the last line, which the next one overwrites
	large   int    // size of the last line that was kept without a copy
	started bool
	afterCR bool // an LF now belongs to the last line end
}

// lineEnd returns where the first line of chunk ends, or -1 if the end is missing. It
// searches growing windows, for LF and then for CR. That is fast for one long line, and
// for many short lines of which all end with the same byte.
func lineEnd(chunk []byte) int {
	for from, size := 0, 128; from < len(chunk); from, size = from+size, 2*size {
		window := chunk[from:min(from+size, len(chunk))]
		end := bytes.IndexByte(window, '\n')
		if end >= 0 {
			window = window[:end]
		}
		if cr := bytes.IndexByte(window, '\r'); cr >= 0 {
			end = cr
		}
		if end >= 0 {
			return from + end
		}
	}
	return -1
}

// grow makes room for more of a line. If the line goes on, it gets at least twice the
// room, or that of the last large line, because events are often as large as the one
// before. Smaller steps would copy the line many times.
func (l *lines) grow(more int, ends bool) {
	need := len(l.line) + more
	if need <= cap(l.line) {
		return
	}
	size := need
	if !ends {
		size = max(min(2*need, l.limit+bufferSize), need, l.large)
	}
	l.line = append(make([]byte, 0, size), l.line...)
}

// keep returns a part of the last line, safe from the next one. A large part is not
// copied: the next line gets memory of its own instead.
func (l *lines) keep(part []byte) []byte {
	if len(part) < bufferSize {
		return append(make([]byte, 0, len(part)), part...) // not nil, even if it is empty
	}
	wasteful := cap(l.line) > 2*len(l.line)
	l.large, l.line = len(l.line)+len(l.line)/16, nil
	if wasteful {
		return bytes.Clone(part)
	}
	return part
}

// next returns the next line of an event that already has some bytes. If they exceed the
// limit together, it returns the beginning of the line and the number of lost bytes. At
// the end of the stream, the error is io.EOF, or errUnfinished inside a line.
func (l *lines) next(already int) (line []byte, lost int, err error) {
	l.line = l.line[:0]
	size := 0
	for {
		chunk, err := l.chunk()
		switch {
		case errors.Is(err, io.EOF) && size > 0:
			return nil, 0, errUnfinished
		case err != nil:
			return nil, 0, err
		}
		if l.afterCR && chunk[0] == '\n' {
			l.afterCR = false
			_, _ = l.r.Discard(1) // it is buffered
			continue
		}
		l.afterCR = false
		end := lineEnd(chunk)
		part := chunk
		if end >= 0 {
			part = chunk[:end]
		}
		size += len(part)
		over := already + size - l.limit
		if lost = max(0, min(over, size)); over/maxLost > l.limit {
			return nil, 0, tooLargeError{l.limit}
		}
		room := max(l.limit-already, minLine) - len(l.line)
		kept := part[:max(0, min(room, len(part)))]
		l.grow(len(kept), end >= 0)
		l.line = append(l.line, kept...)
		if end < 0 {
			_, _ = l.r.Discard(len(chunk)) // it is buffered
			continue
		}
		l.afterCR = chunk[end] == '\r'
		_, _ = l.r.Discard(end + 1) // it is buffered
		line = l.line
		if !l.started {
			l.started = true
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		return line, lost, nil
	}
}

// chunk returns what is buffered, at least one byte.
func (l *lines) chunk() ([]byte, error) {
	if _, err := l.r.Peek(1); err != nil {
		return nil, err
	}
	return l.r.Peek(l.r.Buffered())
}

// tooLargeError means that an event is larger than the limit.
type tooLargeError struct{ limit int }

const moreSpace fault.Hint = "raise {max-event}"

func (e tooLargeError) Error() string { return e.Explain().String() }

func (e tooLargeError) Explain() fault.Parts {
	return fault.Parts{Why: fmt.Sprintf("an event is larger than %s, the limit", sizeText(e.limit)), Help: moreSpace}
}

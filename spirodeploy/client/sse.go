package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// rawEvent is an event of a stream as it came.
type rawEvent struct {
	name string
	data []byte // its data lines, joined with newlines; the reader of the event owns it
	lost int    // how many more bytes of data there were, beyond the limit
}

// Of an event that is larger than the limit, keptHead bytes of data are kept:
// enough to tell which minion it is about. maxLost is how many times the limit
// such an event may have before nobody waits for its end.
const (
	keptHead = 64 << 10
	maxLost  = 16
	minLine  = 1 << 10 // of a line, in bytes: this much is read whatever the limit
)

// errUnfinished means that the stream ended in the middle of an event or a line.
var errUnfinished = errors.New("the stream of events ended in the middle of an event")

// readEvents yields the events of a stream (HTML Living Standard, section
// 9.2.6) in which no event is larger than limit, in bytes. Each byte is looked
// at once, however little of an event comes at a time. An event without data is
// none. An event or a line that is not whole at the end of the stream is an
// error, errUnfinished: the standard leaves it out, but here a verdict hangs on it.
//
// Of a larger event, which may be the result of a minion, the beginning is yielded
// if its name does not come before its data or is that of such a result.
func readEvents(r io.Reader, limit int) iter.Seq2[rawEvent, error] {
	return func(yield func(rawEvent, error) bool) {
		in := &lines{r: bufio.NewReaderSize(r, bufferSize), limit: limit}
		var event rawEvent
		begun := false
		for {
			line, lost, err := in.next(event.size())
			switch {
			case errors.Is(err, io.EOF) && !begun:
				return
			case errors.Is(err, io.EOF):
				err = errUnfinished
			case lost > 0 && !event.mayBeLarge(line):
				err = tooLargeError{limit}
			}
			switch {
			case err != nil:
				yield(rawEvent{}, err)
				return
			case len(line) > 0:
				begun = event.add(in, line, lost) || begun
			case begun:
				if event.data != nil && !yield(event, nil) {
					return
				}
				event, begun = rawEvent{}, false
			}
		}
	}
}

// size returns how much of the limit the event takes.
func (e *rawEvent) size() int { return len(e.name) + len(e.data) + e.lost }

// mayBeLarge reports whether the event can be the result of a minion, which
// becomes too large with a line, or was before.
func (e *rawEvent) mayBeLarge(line []byte) bool {
	if bytes.HasPrefix(line, []byte("data:")) {
		return e.name == "" || e.name == HighstateUpdate
	}
	return e.lost > 0 && len(line) < minLine
}

// add adds a line to the event, of which some bytes are lost. It reports whether
// the line is part of one: comments are not, nor are fields that mean nothing here.
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

// lines reads lines that end with CR, LF or both. A line is yielded as soon as
// its end is there, without waiting for what comes next.
type lines struct {
	r       *bufio.Reader
	limit   int
	line    []byte // the last one, to be overwritten by the next
	large   int    // size of the last line that was kept without a copy
	started bool
	afterCR bool // an LF that comes now belongs to the line end
}

// lineEnd returns where the line ends that chunk begins with; -1 if it does not.
// It looks at windows that grow, for the one byte and then for the other: fast in
// a long line, and in many short ones, which end with one of them only.
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

// grow makes room for more of a line. One that goes on gets as much as the last
// large one had, for events are often about as large as the one before; and else
// twice as much as it has. Step by step, there would be many copies of it.
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

// keep returns a part of the last line that stays as it is. A large one is no
// copy: the next line gets memory of its own.
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

// next returns the next line. If the line, together with what its event has
// already, is larger than the limit, its beginning is returned, and how many bytes
// are lost. The error is io.EOF between two lines only, and else errUnfinished.
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
			_, _ = l.r.Discard(1) // it is there
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
			_, _ = l.r.Discard(len(chunk)) // it is there
			continue
		}
		l.afterCR = chunk[end] == '\r'
		_, _ = l.r.Discard(end + 1) // it is there
		line = l.line
		if !l.started {
			l.started = true
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		return line, lost, nil
	}
}

// chunk returns what has been read and not been looked at: one byte at least.
func (l *lines) chunk() ([]byte, error) {
	if _, err := l.r.Peek(1); err != nil {
		return nil, err
	}
	return l.r.Peek(l.r.Buffered())
}

// tooLargeError means that an event is larger than is accepted.
type tooLargeError struct{ limit int }

const moreSpace fault.Hint = "{max-event} accepts larger ones"

func (e tooLargeError) Error() string { return e.Explain().String() }

func (e tooLargeError) Explain() fault.Parts {
	return fault.Parts{Why: fmt.Sprintf("an event is larger than %s, the largest that is accepted", sizeText(e.limit)), Help: moreSpace}
}

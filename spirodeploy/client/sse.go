package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// rawEvent is an event of a stream as it came.
type rawEvent struct {
	name string
	data []byte // its data lines, joined with newlines; the reader of the event owns it
}

// readEvents yields the events of a stream (HTML Living Standard, section
// 9.2.6) in which no event is larger than limit, in bytes. Each byte is looked
// at once, however little of an event comes at a time. An event that is not
// whole at the end of the stream is left out, as the standard has it.
func readEvents(r io.Reader, limit int) iter.Seq2[rawEvent, error] {
	return func(yield func(rawEvent, error) bool) {
		in := &lines{r: bufio.NewReaderSize(r, bufferSize), limit: limit}
		var event rawEvent
		begun := false
		for {
			line, err := in.next(len(event.name) + len(event.data))
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(rawEvent{}, err)
				return
			case len(line) > 0:
				begun = event.add(in, line) || begun
			case begun:
				if !yield(event, nil) {
					return
				}
				event, begun = rawEvent{}, false
			}
		}
	}
}

// add adds a line to the event. It reports whether the line is part of one:
// comments are not, nor are fields that mean nothing here.
func (e *rawEvent) add(in *lines, line []byte) bool {
	field, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(field) {
	case "event":
		e.name = string(value)
	case "data":
		if e.data == nil {
			e.data = in.keep(value)
			return true
		}
		e.data = append(append(e.data, '\n'), value...)
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

// next returns the next line. It fails where the line, together with what its
// event has already, is larger than the limit.
func (l *lines) next(already int) ([]byte, error) {
	l.line = l.line[:0]
	for {
		if _, err := l.r.Peek(1); err != nil {
			return nil, err
		}
		chunk, err := l.r.Peek(l.r.Buffered())
		if err != nil {
			return nil, err
		}
		if l.afterCR && chunk[0] == '\n' {
			chunk, l.afterCR = chunk[1:], false
			_, _ = l.r.Discard(1) // it is there
			if len(chunk) == 0 {
				continue
			}
		}
		l.afterCR = false
		end := lineEnd(chunk)
		part := chunk
		if end >= 0 {
			part = chunk[:end]
		}
		if already+len(l.line)+len(part) > l.limit {
			return nil, tooLargeError{l.limit}
		}
		l.grow(len(part), end >= 0)
		l.line = append(l.line, part...)
		if end < 0 {
			_, _ = l.r.Discard(len(chunk)) // it is there
			continue
		}
		l.afterCR = chunk[end] == '\r'
		_, _ = l.r.Discard(end + 1) // it is there
		if !l.started {
			l.started = true
			return bytes.TrimPrefix(l.line, []byte("\xef\xbb\xbf")), nil
		}
		return l.line, nil
	}
}

// tooLargeError means that an event is larger than is accepted.
type tooLargeError struct{ limit int }

func (e tooLargeError) Error() string {
	return fmt.Sprintf("an event is larger than %s, the largest that is accepted", sizeText(e.limit))
}

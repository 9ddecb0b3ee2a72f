package report

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/tempfile"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// Limits of the results that a report keeps.
const (
	maxKept  = 8 << 20  // of all results in memory, in bytes
	maxSpool = 16 << 30 // of the file, in bytes, so that no server fills a disk
)

// spool keeps results without room in memory in a temporary file, which it makes for the
// first one. It writes a result while the caller reads the next.
type spool struct {
	file    *tempfile.File
	size    int64 // of the file, in bytes
	kept    int   // of maxKept
	err     error // why the spool takes no more results
	writing chan error
	last    *Minion // whose result is being written
}

// slot is the place of a result in a spool. The zero value has no room.
type slot struct {
	spool *spool
	at    int64
	room  int64
}

// put writes the result of a minion and its excerpt. They replace an older result if
// there is room, since a server may send many for one minion. If writing fails, now or
// later, the minion is incomplete.
func (s *spool) put(m *Minion, raw, excerpt []byte) {
	s.settle()
	place, size := m.details.slot, len(raw)+len(excerpt)
	if int64(size) > place.room {
		// A minion that got a place before gets more room than it needs, so that old places
		// do not add up. Holes for all minions would make writing slow.
		room := int64(size)
		if place.room > 0 {
			room = 1 << bits.Len(uint(size))
		}
		place = slot{spool: s, at: s.size, room: room}
	}
	end := place.at + place.room
	switch {
	case s.err != nil:
	case end > maxSpool:
		s.err = fmt.Errorf("all results are more than %s", human.Size(maxSpool))
	case s.file == nil:
		file, err := tempfile.New()
		if err != nil {
			s.err = &fault.Error{Err: err, Help: tempfile.Hint}
			break
		}
		s.file = file
	}
	if s.err != nil {
		m.Incomplete = s.err.Error()
		return
	}
	m.details.slot, m.details.inFile = place, true
	s.size = max(s.size, end)
	s.last, s.writing = m, make(chan error, 1)
	go func(done chan<- error) {
		_, err := s.file.WriteAt(raw, place.at)
		_, err2 := s.file.WriteAt(excerpt, place.at+int64(len(raw)))
		done <- cmp.Or(err, err2)
	}(s.writing)
}

// settle waits until the last result is written.
func (s *spool) settle() {
	if s == nil || s.writing == nil {
		return
	}
	if err := <-s.writing; err != nil {
		s.err = fileError(err)
		s.last.details.inFile, s.last.Incomplete = false, s.err.Error()
	}
	s.writing, s.last = nil, nil
}

// read fills a buffer with the bytes of a slot after the first ones.
func (s slot) read(buf []byte, from int) error {
	_, err := s.spool.file.ReadAt(buf, s.at+int64(from))
	switch {
	case errors.Is(err, fs.ErrClosed):
		return errors.New("the report has been closed")
	case err != nil:
		return fileError(err)
	}
	return nil
}

// close closes and removes the file.
func (s *spool) close() error {
	s.settle()
	if s.file == nil {
		return nil
	}
	if err := s.file.Close(); !errors.Is(err, fs.ErrClosed) {
		return err
	}
	return nil
}

// fileError returns the error of the file, with a hint.
func fileError(err error) error {
	return &fault.Error{Err: &tempfile.Error{Err: err}, Help: tempfile.Hint}
}

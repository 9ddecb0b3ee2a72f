package report

import (
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// Limits of what is kept of the minions' results.
const (
	maxKept   = 8 << 20   // of all of them together in memory, in bytes
	maxPlaces = 256 << 10 // of states in the temporary file
	maxSpool  = 16 << 30  // of that file, in bytes: no server may fill a disk for ever
)

// spool holds the results of a report that have no room in memory, as the server
// sent them but for tokens, in a temporary file. It is made when it is needed.
//
// It writes one result while the next one is read: it is as much work.
type spool struct {
	file    *os.File
	size    int64 // of the file, in bytes
	kept    int   // how much of maxKept is taken
	places  int   // how much of maxPlaces is
	err     error // why nothing more can be held
	writing chan error
	last    *Minion // the one whose result is being written
}

// slot is the place of a result in a spool. The zero value is none.
type slot struct {
	spool *spool
	at    int64
	room  int64
}

// put writes the minion's result, in the place of an older one if that has the
// room: a server may send results of one minion again and again. Where it fails,
// at once or later, the minion is incomplete.
func (s *spool) put(m *Minion, raw []byte) {
	s.settle()
	place := m.details.slot
	if int64(len(raw)) > place.room {
		// Twice as much as before at least, so that old places cannot add up.
		// What is not written takes no room on most disks.
		place = slot{spool: s, at: s.size, room: 1 << bits.Len(uint(len(raw)))}
	}
	end := place.at + place.room
	switch {
	case s.err != nil:
	case end > maxSpool:
		s.err = fmt.Errorf("all results are more than %s", human.Size(maxSpool))
	case s.file == nil:
		if s.file, s.err = os.CreateTemp("", "spirodeploy-*.results"); s.err != nil {
			s.err = spoolError(s.err)
			break
		}
		// Where an open file can be removed, nothing is left even by a crash.
		_ = os.Remove(s.file.Name())
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
		done <- err
	}(s.writing)
}

// settle waits until all is written.
func (s *spool) settle() {
	if s == nil || s.writing == nil {
		return
	}
	if err := <-s.writing; err != nil {
		s.err = spoolError(err)
		s.last.details.inFile, s.last.Incomplete = false, s.err.Error()
	}
	s.writing, s.last = nil, nil
}

// read fills a buffer with the result in a slot, from there on.
func (s slot) read(buf []byte, from int) error {
	_, err := s.spool.file.ReadAt(buf, s.at+int64(from))
	switch {
	case errors.Is(err, fs.ErrClosed):
		return errors.New("the report has been closed")
	case err != nil:
		return spoolError(err)
	}
	return nil
}

// close closes and removes the file.
func (s *spool) close() error {
	s.settle()
	if s == nil || s.file == nil {
		return nil
	}
	err := s.file.Close()
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	_ = os.Remove(s.file.Name()) // most often it is already
	return err
}

// spoolError says what is wrong with the temporary file, whose name means nothing.
func spoolError(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("temporary file in %s: %w (TMPDIR names the directory for temporary files)", sanitize.Line(os.TempDir()), err)
}

package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// spool is a temporary file for content whose size is not known before it is
// read. The zero value is empty and has no file.
type spool struct {
	file *os.File
	size int64
}

// add keeps what r yields, and returns its size and where to read it again.
func (s *spool) add(r io.Reader) (size int64, kept io.ReaderAt, err error) {
	if s.file == nil {
		if s.file, err = os.CreateTemp("", "spirodeploy-*.spool"); err != nil {
			return 0, nil, spoolError(err)
		}
		// Where an open file can be removed, nothing is left even by a crash.
		_ = os.Remove(s.file.Name())
	}
	at := s.size
	size, err = io.Copy(s.file, r)
	s.size += size
	var onDisk *fs.PathError
	if errors.As(err, &onDisk) && onDisk.Path == s.file.Name() {
		return 0, nil, spoolError(err)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("copy to a temporary file: %w", err)
	}
	return size, io.NewSectionReader(s.file, at, size), nil
}

// errSpool means that a temporary file cannot be made or written.
var errSpool = errors.New("temporary file")

const spoolHint = "TMPDIR names the directory for temporary files"

func spoolError(err error) error {
	return fmt.Errorf("%w in %s: %w", errSpool, printable(os.TempDir()), reason(err))
}

// Close closes and removes the file.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	name := s.file.Name()
	err := s.file.Close()
	_ = os.Remove(name) // most often it is already
	return err
}

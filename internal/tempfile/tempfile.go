// Package tempfile makes temporary files of which nothing is left, even by a crash, if
// the system can remove an open file.
package tempfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// File is a temporary file. Close removes it.
type File struct {
	*os.File
	size int64 // of what was appended
}

// New makes a temporary file. The error is an [Error].
func New() (*File, error) {
	f, err := os.CreateTemp("", "spirodeploy-*.tmp")
	if err != nil {
		return nil, &Error{err}
	}
	_ = os.Remove(f.Name()) // Windows removes it when it is closed
	return &File{File: f}, nil
}

// Append appends what r yields, and returns it as a part of the file. The error is an
// [Error] if the file cannot be written, or wraps the reader's.
func (f *File) Append(r io.Reader) (*io.SectionReader, error) {
	at := f.size
	n, err := io.Copy(f.File, r)
	f.size += n
	var onDisk *fs.PathError
	switch {
	case errors.As(err, &onDisk) && onDisk.Path == f.Name():
		return nil, &Error{err}
	case err != nil:
		return nil, fmt.Errorf("copy to a temporary file: %w", err)
	}
	return io.NewSectionReader(f, at, n), nil
}

// Full returns an [Error] if the file cannot grow, after another process has failed to
// write to it.
func (f *File) Full() error {
	if _, err := f.Seek(0, io.SeekEnd); err != nil {
		return &Error{err}
	}
	if _, err := f.Write(make([]byte, 4<<10)); err != nil {
		return &Error{err}
	}
	return nil
}

// Close closes and removes the file.
func (f *File) Close() error {
	err := f.File.Close()
	_ = os.Remove(f.Name())
	return err
}

// Hint says what a person can do about an [Error].
const Hint = "TMPDIR names the directory for temporary files"

// Error means that a temporary file cannot be made, written or read. Its text names the
// directory and not the file, whose name means nothing to a person.
type Error struct{ Err error }

func (e *Error) Error() string {
	err := e.Err
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Sprintf("temporary file in %s: %v", sanitize.Line(os.TempDir()), err)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

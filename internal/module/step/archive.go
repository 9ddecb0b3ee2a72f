package step

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// tarFile returns a scanner of a tar file. Unlike that of a stream, it knows
// every size, and reads content where it lies: a container with nothing in it
// has no place for temporary files.
func tarFile(path string) bundle.Scanner {
	return func(_ context.Context, _ string, skip func(string) bool) iter.Seq2[bundle.Entry, error] {
		return func(yield func(bundle.Entry, error) bool) {
			if err := scanTar(path, skip, yield); err != nil {
				yield(bundle.Entry{}, fmt.Errorf("read archive: %w", err))
			}
		}
	}
}

func scanTar(path string, skip func(string) bool, yield func(bundle.Entry, error) bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if skip(h.Name) {
			continue
		}
		// The reader takes whole blocks only, so this is where the content begins.
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		e := bundle.Entry{Name: h.Name, Mode: h.FileInfo().Mode(), Size: h.Size, Link: h.Linkname}
		e.Open = func() (io.ReadCloser, error) { return openSection(path, at, h.Size) }
		if !yield(e, nil) {
			return nil
		}
	}
}

// section is a part of a file.
type section struct {
	io.Reader
	io.Closer
}

func openSection(path string, at, size int64) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return section{io.NewSectionReader(f, at, size), f}, nil
}

// writeEntries writes the entries of a scanner as a tar. Those of unknown size
// pass through a temporary file.
func writeEntries(w io.Writer, entries iter.Seq2[bundle.Entry, error], warn func(bundle.Warning)) error {
	spool, err := os.CreateTemp("", "spirodeploy-*.spool")
	if err != nil {
		return fmt.Errorf("make temporary file: %w", err)
	}
	defer func() {
		_ = spool.Close() // what was written has been read
		_ = os.Remove(spool.Name())
	}()
	tw := tar.NewWriter(w)
	for e, err := range entries {
		if w := (bundle.Warning{}); errors.As(err, &w) {
			warn(w)
			continue
		}
		if err != nil {
			return err
		}
		if err := writeEntry(tw, e, spool); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return tw.Close()
}

func writeEntry(tw *tar.Writer, e bundle.Entry, spool *os.File) error {
	h := &tar.Header{Name: e.Name, Mode: int64(e.Mode.Perm())}
	switch e.Mode.Type() {
	case fs.ModeDir:
		h.Typeflag = tar.TypeDir
		return tw.WriteHeader(h)
	case fs.ModeSymlink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Link
		return tw.WriteHeader(h)
	case 0:
	default:
		return bundle.ErrKind
	}
	size, err := fill(spool, e)
	if err != nil {
		return err
	}
	h.Typeflag, h.Size = tar.TypeReg, size
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	_, err = io.Copy(tw, io.NewSectionReader(spool, 0, size))
	return err
}

// fill makes a file hold an entry's content from its beginning.
func fill(spool *os.File, e bundle.Entry) (int64, error) {
	content, err := e.Open()
	if err != nil {
		return 0, err
	}
	defer content.Close()
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	return io.Copy(spool, content)
}

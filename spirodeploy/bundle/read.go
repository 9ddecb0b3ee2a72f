package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sort"
	"syscall"
)

// layout is the plan of a tar. The walk has settled the place of each byte, so any piece
// can be filled by itself, except the content of sequential items.
type layout struct {
	tar        io.ReaderAt
	size, at   int64
	sequential []item        // those from at on
	file       io.ReadCloser // the content of the next one, if at is in it
	failed     func(*item, error) error
}

func (l *layout) next() (size int, fill func([]byte) error, inline bool, err error) {
	for {
		at, end := l.at, min(l.at+pieceSize, l.size)
		if len(l.sequential) > 0 {
			it := &l.sequential[0]
			if at >= it.content {
				if size, fill, err = l.read(it); size > 0 || err != nil {
					return size, fill, true, err
				}
				continue // it is empty
			}
			end = min(end, it.content)
		}
		l.at = end
		return int(end - at), func(buf []byte) error { return l.fill(buf, at) }, false, nil
	}
}

// fill reads a piece. It checks that nothing follows the last one.
func (l *layout) fill(buf []byte, at int64) error {
	n, err := l.tar.ReadAt(buf, at)
	switch {
	case n < len(buf) && errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %d bytes of it are gone", ErrChanged, l.size-at-int64(n))
	case n < len(buf):
		return err
	case at+int64(n) < l.size:
		return nil
	}
	switch n, err := l.tar.ReadAt(make([]byte, 1), l.size); {
	case n > 0:
		return fmt.Errorf("%w: there is more of it than there was", ErrChanged)
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// read plans the next piece of a sequential item's content.
func (l *layout) read(it *item) (size int, fill func([]byte) error, err error) {
	if l.file == nil {
		if l.file, err = it.source.open(); err != nil {
			return 0, nil, l.failed(it, err)
		}
	}
	left := it.content + it.Size - l.at
	size = int(min(left, pieceSize))
	fill = func(buf []byte) error {
		n, err := io.ReadFull(l.file, buf)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			err = fmt.Errorf("%w: it has shrunk by %d bytes", ErrChanged, left-int64(n))
		case err == nil && left == int64(size):
			err = l.finish(it)
		}
		if err != nil {
			return l.failed(it, err)
		}
		return nil
	}
	l.at += int64(size)
	if size == 0 {
		return 0, nil, fill(nil)
	}
	return size, fill, nil
}

// finish checks that a sequential item's content ends at its size.
func (l *layout) finish(it *item) error {
	var one [1]byte
	n, err := io.ReadFull(l.file, one[:])
	switch {
	case n > 0:
		return fmt.Errorf("%w: it has more than %d bytes", ErrChanged, it.Size)
	case !errors.Is(err, io.EOF):
		return err
	}
	l.sequential = l.sequential[1:]
	return l.Close()
}

// Close closes the sequential item that is being read.
func (l *layout) Close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// fill makes the bytes of the tar from an offset on, except the content of sequential
// items.
func (b *Bundle) fill(buf []byte, at int64) error {
	var o opener
	defer o.close()
	var store [3 * blockSize]byte
	for _, it := range b.from(sort.Search(len(b.starts), func(n int) bool { return b.starts[n] > at }) - 1) {
		if len(buf) == 0 {
			return nil
		}
		if it.end() <= at {
			continue
		}
		if at < it.content {
			header := appendHeader(store[:0], it.Item, b.modTime)
			n := copy(buf, header[int64(len(header))-(it.content-at):])
			buf, at = buf[n:], at+int64(n)
		}
		if at < it.content || !it.Mode.IsRegular() {
			continue
		}
		if n, err := it.readAt(&o, buf, at-it.content); err != nil {
			return b.failed(&it, err)
		} else if n > 0 {
			buf, at = buf[n:], at+int64(n)
		}
		pad := min(int64(len(buf)), it.end()-at)
		clear(buf[:pad])
		buf, at = buf[pad:], at+pad
	}
	clear(buf) // the end of the archive
	return nil
}

// readAt reads an item's content from an offset on. It may overwrite the rest of the
// buffer. It fails if the file is not the one that the walk saw.
func (it *item) readAt(o *opener, buf []byte, from int64) (int, error) {
	left := it.Size - from
	want := int(min(int64(len(buf)), left))
	switch {
	case it.sequential(), want == 0 && it.Size > 0:
		return 0, nil
	case it.source != nil && it.source.at != nil:
		n, err := it.source.at.ReadAt(buf[:want], from)
		switch {
		case n == want:
			err = nil
		case errors.Is(err, io.EOF):
			err = fmt.Errorf("%w: %d bytes of it are gone", ErrChanged, left-int64(n))
		}
		return n, err
	}
	// One byte more than the size, since some files have more than they say (those of
	// /proc say 0). Without room for it, a second read is needed.
	buf = buf[:min(len(buf), want+1)]
	var spare [1]byte
	if want == 0 && len(buf) == 0 {
		buf = spare[:]
	}
	n, now, err := it.read(o, buf, want, from)
	if err == nil && int64(want) == left && len(buf) == want && n == want {
		var more int
		more, now, err = it.read(o, spare[:], 0, it.Size)
		n += more
	}
	if err != nil {
		return min(n, want), err
	}
	// After the read, to notice changes during it.
	err = it.same(now)
	switch {
	case err == nil && n < want:
		err = fmt.Errorf("%w: %d bytes of it are gone", ErrChanged, want-n)
	case err == nil && n > want:
		err = fmt.Errorf("%w: it has more than the %d bytes that its size says, as the files of /proc have: copy it to a regular file", ErrChanged, it.Size)
	}
	return min(n, want), err
}

// sequential reports whether an item's content can be read from its beginning only.
func (it *item) sequential() bool {
	return it.source != nil && it.source.open != nil
}

// stride is the number of items from one of [Bundle].starts to the next.
const stride = 16

// from yields the items from one of starts on, with their indexes.
func (b *Bundle) from(n int) iter.Seq2[int, item] {
	return func(yield func(int, item) bool) {
		at := b.starts[n]
		for i := n * stride; i < b.items.len(); i++ {
			it := b.items.at(i)
			it.content = at + headerSize(it.Item)
			if at = it.end(); !yield(i, it) {
				return
			}
		}
	}
}

// item returns an item with the offset of its content.
func (b *Bundle) item(i int) (it item) {
	if b.starts == nil {
		return b.items.at(i)
	}
	at := 0
	for at, it = range b.from(i / stride) {
		if at == i {
			break
		}
	}
	return it
}

// end returns the offset behind the item's content and padding.
func (it *item) end() int64 { return it.content + padded(it.Size) }

// filled reads a tar that does not exist at any offset.
type filled struct{ b *Bundle }

func (f filled) ReadAt(p []byte, at int64) (int, error) {
	n := min(int64(len(p)), f.b.size-at)
	if n <= 0 {
		return 0, io.EOF
	}
	if err := f.b.fill(p[:n], at); err != nil {
		return 0, err
	}
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// failed adds the name of the file to an error.
func (b *Bundle) failed(it *item, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		err = fmt.Errorf("%w: it is gone", ErrChanged)
	}
	return fmt.Errorf("read %s: %w", printable(b.shown(it.Name, it.file())), reason(err))
}

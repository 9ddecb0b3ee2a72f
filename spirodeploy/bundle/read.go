package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"syscall"

	"github.com/opencontainers/go-digest"
)

// Open returns a reader of the tar. It fails with [ErrChanged] where a file is
// not what it was when the tree was walked, and with [ErrDigest] where the
// bytes are not those that an earlier reader yielded, both before the last
// byte. It reads ahead. Readers do not disturb each other. Close may be called
// while Read is running; Read then fails with [fs.ErrClosed].
func (b *Bundle) Open() (io.ReadCloser, error) { return b.open(), nil }

func (b *Bundle) open() *pump {
	b.mu.Lock()
	defer b.mu.Unlock()
	want := b.want
	if want == "" {
		want = b.digest
	}
	return newPump(&layout{b: b}, b.size, want, b.learn)
}

// learn keeps the digest that a whole read has found.
func (b *Bundle) learn(d digest.Digest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.digest = d
}

// WriteTo writes the tar. Its errors are those of [Bundle.Open]'s reader and of w.
func (b *Bundle) WriteTo(w io.Writer) (int64, error) {
	return b.writeTo(context.Background(), w)
}

func (b *Bundle) writeTo(ctx context.Context, w io.Writer) (int64, error) {
	r := b.open()
	defer func() { _ = r.Close() }() // nothing can fail in it that has not
	return r.writeTo(ctx, w)
}

// Digest returns the digest of the tar. The first call reads it, unless it has
// been read already.
func (b *Bundle) Digest(ctx context.Context) (digest.Digest, error) {
	b.mu.Lock()
	known := b.digest
	b.mu.Unlock()
	if known != "" {
		return known, nil
	}
	if _, err := b.writeTo(ctx, io.Discard); err != nil {
		return "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.digest, nil
}

// layout plans a bundle's tar. Where each byte belongs is known from the walk,
// so any piece can be filled by itself; but for the content of what only an
// Entry's Open yields, from its beginning.
type layout struct {
	b    *Bundle
	at   int64
	past int           // how many of the bundle's sequential items lie before at
	file io.ReadCloser // the content of the next one, when at lies in it
}

func (l *layout) next() (size int, fill func([]byte) error, inline bool, err error) {
	for {
		at, end := l.at, min(l.at+pieceSize, l.b.size)
		if l.past < len(l.b.sequential) {
			it := &l.b.items[l.b.sequential[l.past]]
			if at >= it.content {
				if size, fill, err = l.read(it); size > 0 || err != nil {
					return size, fill, true, err
				}
				continue // it is empty
			}
			end = min(end, it.content)
		}
		l.at = end
		return int(end - at), func(buf []byte) error { return l.b.fill(buf, at) }, false, nil
	}
}

// read plans the next piece of a sequential item's content.
func (l *layout) read(it *item) (size int, fill func([]byte) error, err error) {
	if l.file == nil {
		if l.file, err = it.source.open(); err != nil {
			return 0, nil, l.b.failed(it, err)
		}
	}
	left := it.content + it.size - l.at
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
			return l.b.failed(it, err)
		}
		return nil
	}
	l.at += int64(size)
	if size == 0 {
		return 0, nil, fill(nil)
	}
	return size, fill, nil
}

// finish checks that a sequential item's content ends where it has to.
func (l *layout) finish(it *item) error {
	var one [1]byte
	n, err := io.ReadFull(l.file, one[:])
	switch {
	case n > 0:
		return fmt.Errorf("%w: it has more than %d bytes", ErrChanged, it.size)
	case !errors.Is(err, io.EOF):
		return err
	}
	l.past++
	return l.Close()
}

// Close closes what is being read.
func (l *layout) Close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// fill makes the bytes of the tar from an offset on, but for the content of
// sequential items.
func (b *Bundle) fill(buf []byte, at int64) error {
	i, found := slices.BinarySearchFunc(b.items, at, func(it item, at int64) int { return cmp.Compare(it.offset, at) })
	if !found {
		i-- // it lies in the item before; there is one, at offset 0
	}
	var o opener
	defer o.close()
	var store [3 * blockSize]byte
	for ; len(buf) > 0 && i < len(b.items); i++ {
		it := &b.items[i]
		if at < it.content {
			n := copy(buf, appendHeader(store[:0], it.header, b.modTime)[at-it.offset:])
			buf, at = buf[n:], at+int64(n)
		}
		if at < it.content || !it.mode.IsRegular() {
			continue
		}
		if n, err := it.readAt(&o, buf, at-it.content); err != nil {
			return b.failed(it, err)
		} else if n > 0 {
			buf, at = buf[n:], at+int64(n)
		}
		pad := min(int64(len(buf)), it.content+padded(it.size)-at)
		clear(buf[:pad])
		buf, at = buf[pad:], at+pad
	}
	clear(buf) // the end of the archive
	return nil
}

// readAt fills a buffer with an item's content from an offset on, as far as that
// goes; what is behind that in the buffer may be anything then. It fails where the
// content is not what the walk saw.
func (it *item) readAt(o *opener, buf []byte, from int64) (int, error) {
	left := it.size - from
	switch {
	case it.sequential(), (left == 0 || len(buf) == 0) && it.size > 0:
		return 0, nil
	case it.source != nil:
		buf = buf[:min(int64(len(buf)), left)]
		n, err := it.source.at.ReadAt(buf, from)
		if n == len(buf) {
			err = nil
		}
		return n, err
	}
	want := int(min(int64(len(buf)), left))
	if left >= int64(len(buf)) {
		buf = buf[:want:want]
	} else {
		buf = buf[:want+1]
	}
	// One byte more than there should be: some files have more than they say (those
	// of /proc say 0). Where there is no room for it, a further look is needed.
	var spare [1]byte
	if want == 0 && len(buf) == 0 {
		buf = spare[:]
	}
	n, now, err := readFile(o, it.root, it.path, buf, want, from)
	if err == nil && int64(want) == left && len(buf) == want && n == want {
		var more int
		more, now, err = readFile(o, it.root, it.path, spare[:], 0, it.size)
		n += more
	}
	if err != nil {
		return min(n, want), err
	}
	// After the reading, so that this is also about what happened meanwhile.
	err = it.same(now)
	switch {
	case err == nil && n < want:
		err = fmt.Errorf("%w: %d bytes of it are gone", ErrChanged, want-n)
	case err == nil && n > want:
		err = fmt.Errorf("%w: it has more than the %d bytes that its size says, as the files of /proc have: copy it to a regular file", ErrChanged, it.size)
	}
	return min(n, want), err
}

// sequential reports whether an item's content can only be read from its beginning.
func (it *item) sequential() bool {
	return it.source != nil && it.source.at == nil
}

// failed says which file an error is of.
func (b *Bundle) failed(it *item, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		err = fmt.Errorf("%w: it is gone", ErrChanged)
	}
	return fmt.Errorf("read %s: %w", printable(it.shown(b.dir)), reason(err))
}

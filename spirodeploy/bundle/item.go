package bundle

import (
	"cmp"
	"encoding/binary"
	"io/fs"
	"slices"
	"strings"
)

// item is an entry of a bundle in its place.
type item struct {
	Item
	origin
	content int64 // offset of its content in the tar
}

// items is a list of items. There may be very many, so each is a record of a few dozen
// bytes, in blocks that have no pointers for the garbage collector to follow.
type items struct {
	places  []place
	blocks  []string
	last    strings.Builder // the last block
	sources []*source
}

// place says where the record of an item begins.
type place struct{ block, at uint32 }

// blockBytes is the size of a block, unless it holds one larger record.
const blockBytes = 32 << 10

func (l *items) len() int { return len(l.places) }

// add adds an item.
func (l *items) add(it item) {
	inName := "" // the path, if the name ends with it
	if strings.HasSuffix(it.Name, it.path) {
		inName = it.path
	}
	r := make([]byte, 0, 256)
	for _, text := range []string{it.Name, it.Link, strings.TrimSuffix(it.path, inName)} {
		r = append(binary.AppendUvarint(r, uint64(len(text))), text...)
	}
	for _, n := range []int64{
		int64(it.Mode), it.Size, it.content, int64(l.source(it.source)), int64(len(inName)),
		it.was.modTime, it.was.change - it.was.modTime, int64(it.was.device), int64(it.was.inode), //nolint:gosec // at converts them back
	} {
		r = binary.AppendUvarint(r, uint64(n)) //nolint:gosec // as above
	}
	if len(l.blocks) == 0 || l.last.Cap()-l.last.Len() < len(r) {
		l.last = strings.Builder{}
		l.last.Grow(max(len(r), blockBytes))
		l.blocks = append(l.blocks, "")
	}
	last := len(l.blocks) - 1
	l.places = append(l.places, place{uint32(last), uint32(l.last.Len())}) //nolint:gosec // 2^32 blocks would be 128 TiB
	l.last.Write(r)
	l.blocks[last] = l.last.String()
}

// source returns the number of a source in sources. Most items have that of the one before.
func (l *items) source(s *source) int {
	if last := len(l.sources) - 1; last < 0 || l.sources[last] != s {
		l.sources = append(l.sources, s)
	}
	return len(l.sources) - 1
}

// record is the unread rest of an item's record.
type record string

func (l *items) record(p place) record { return record(l.blocks[p.block][p.at:]) }

// number reads a number, as package binary writes it.
func (r *record) number() int64 {
	var n uint64
	for i, b := range []byte(*r) {
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			*r = (*r)[i+1:]
			break
		}
	}
	return int64(n)
}

// text reads a text.
func (r *record) text() string {
	n := r.number()
	text := string((*r)[:n])
	*r = (*r)[n:]
	return text
}

func (l *items) name(i int) string { return l.nameOf(l.places[i]) }

func (l *items) nameOf(p place) string {
	r := l.record(p)
	return r.text()
}

func (l *items) at(i int) item { return l.item(l.places[i]) }

func (l *items) item(p place) (it item) {
	r := l.record(p)
	it.Name, it.Link, it.path = r.text(), r.text(), r.text()
	it.Mode, it.Size, it.content = fs.FileMode(r.number()), r.number(), r.number() //nolint:gosec // as in add
	it.source = l.sources[r.number()]
	it.path += it.Name[len(it.Name)-int(r.number()):]
	it.was.modTime = r.number()
	it.was.change = it.was.modTime + r.number()
	it.was.device, it.was.inode = uint64(r.number()), uint64(r.number()) //nolint:gosec // as in add
	return it
}

// addParents adds the directories above every one of the sorted items.
func (l *items) addParents() {
	found, before := l.len(), ""
	for i := range found {
		name := l.name(i)
		// All items below a directory stand together, behind its own.
		for dir := parent(strings.TrimSuffix(name, "/")); dir != "" && !strings.HasPrefix(before, name[:len(dir)+1]); dir = parent(dir) {
			l.add(item{Item: Item{Name: dir + "/", Mode: canonicalMode(fs.ModeDir)}})
		}
		before = name
	}
	if l.len() > found {
		l.sort()
	}
}

// sort sorts the items by name. Of several items for a directory, it keeps one.
func (l *items) sort() {
	slices.SortFunc(l.places, func(p, q place) int {
		if order := strings.Compare(l.nameOf(p), l.nameOf(q)); order != 0 {
			return order
		}
		x, y := l.item(p), l.item(q)
		return cmp.Compare(x.file(), y.file()) // for the same problem each time
	})
	l.places = slices.CompactFunc(l.places, func(p, q place) bool {
		name := l.nameOf(p)
		return strings.HasSuffix(name, "/") && name == l.nameOf(q)
	})
}

package bundle

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// item is an entry of a bundle in its place. It is small, since there may be very many.
type item struct {
	Name    string
	Size    int64
	content int64   // offset of its content in the tar
	from    *origin // nil for a directory that New has added, and in a tar that exists
	modTime int64   // this and the next two: its part of the identity, if it shares the origin
	change  int64
	inode   uint32 // the lower half
	Mode    fs.FileMode
}

// newItem returns an item of a tar that exists.
func newItem(of Item, content int64) item {
	it := item{Name: of.Name, Size: of.Size, Mode: of.Mode, content: content}
	if of.Link != "" {
		it.from = &origin{link: of.Link}
	}
	return it
}

func (it *item) item() Item {
	return Item{Name: it.Name, Mode: it.Mode, Size: it.Size, Link: it.link()}
}

func (it *item) link() string {
	if it.from == nil {
		return ""
	}
	return it.from.link
}

// file returns the file on disk, or "".
func (it *item) file() string {
	if it.from == nil || it.from.dir == "" {
		return it.from.file()
	}
	return it.from.dir + path.Base(it.Name)
}

// was returns the identity of the file on disk that the walk saw.
func (it *item) was() identity {
	id := it.from.was
	if it.from.dir != "" {
		id.modTime, id.change, id.inode = it.modTime, it.change, id.inode|uint64(it.inode)
	}
	return id
}

// share makes the item share an origin with the last one of the same directory. It
// returns the origin. Otherwise the origins would need most of the memory.
func (it *item) share(last *origin) *origin {
	o := it.from
	if o == nil || o.at != nil || o.open != nil || o.link != "" {
		return last
	}
	dir, ok := strings.CutSuffix(o.path, path.Base(it.Name))
	if !ok || dir == "" {
		return last
	}
	it.modTime, it.change, it.inode = o.was.modTime, o.was.change, uint32(o.was.inode) //nolint:gosec // the lower half
	was := identity{device: o.was.device, inode: o.was.inode &^ 0xffffffff}
	if last == nil || last.dir != dir || last.owner != o.owner || last.was != was {
		last = &origin{dir: strings.Clone(dir), owner: o.owner, was: was}
	}
	it.from = last
	return last
}

// items is a list of entries. It grows without a copy.
type items struct {
	chunks [][]item
	order  []int32 // indexes of the entries; nil for the order in which they were added
}

// chunk is the number of items in each of the chunks, except in the last one.
const chunk = 4096

func (l *items) add(it item) {
	last := len(l.chunks) - 1
	if last < 0 || len(l.chunks[last]) == chunk {
		last++
		l.chunks = append(l.chunks, make([]item, 0, min(last, 1)*chunk))
	}
	l.chunks[last] = append(l.chunks[last], it)
}

func (l *items) len() int {
	switch last := len(l.chunks) - 1; {
	case l.order != nil:
		return len(l.order)
	case last >= 0:
		return last*chunk + len(l.chunks[last])
	}
	return 0
}

func (l *items) at(i int) *item {
	if l.order != nil {
		i = int(l.order[i])
	}
	return &l.chunks[i/chunk][i%chunk]
}

// sort sorts the entries by name. Of several entries for a directory, it keeps one.
func (l *items) sort() {
	order := make([]int32, l.len())
	for i := range order {
		order[i] = int32(i) //nolint:gosec // 2^31 entries would be a TiB of headers
	}
	slices.SortFunc(order, func(i, j int32) int {
		x, y := l.at(int(i)), l.at(int(j))
		if order := strings.Compare(x.Name, y.Name); order != 0 {
			return order
		}
		return cmp.Compare(x.file(), y.file()) // for the same problem each time
	})
	l.order = slices.CompactFunc(order, func(i, j int32) bool {
		x, y := l.at(int(i)), l.at(int(j))
		return x.Name == y.Name && x.Mode.IsDir()
	})
}

// names keeps names side by side: there are fewer objects, and no room between them.
type names struct{ b strings.Builder }

func (t *names) keep(s string) string {
	if t.b.Cap()-t.b.Len() < len(s) {
		t.b = strings.Builder{}
		t.b.Grow(max(len(s), 32<<10))
	}
	at := t.b.Len()
	t.b.WriteString(s)
	return t.b.String()[at:]
}

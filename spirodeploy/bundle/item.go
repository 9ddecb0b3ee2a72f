package bundle

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// item is an entry of a bundle in its place.
type item struct {
	Item
	content int64    // offset of its content in the tar
	from    *origin  // nil for a directory that New has added, and in a tar that exists
	was     identity // of the file on disk
}

// file returns the file on disk, or "".
func (it *item) file() string {
	if it.from == nil || it.from.dir == "" {
		return it.from.file()
	}
	return it.from.dir + path.Base(it.Name)
}

// items is a list of items. There may be very many, so it needs little memory, grows
// without a copy, and has nearly no pointers for the garbage collector to follow.
type items struct {
	chunks  [][]compact
	sorted  int // number of items in the order of compact.order; 0: in the order of add
	origins []*origin
	shared  int32 // index of the last origin that items share, plus 1; 0: none
	names   []string
	last    strings.Builder // the last of names
}

const (
	chunk     = 4096     // the number of items in each chunk but the last one
	nameBytes = 32 << 10 // of each of names, unless one name is longer
)

// compact is an item in little memory. If it shares its origin, it has a part of the
// identity itself.
type compact struct {
	name            uint64 // index in names, then 16 bits of offset and 16 of length
	size, content   int64
	modTime, change int64
	inode           uint32 // the lower half
	origin          int32  // index in origins, plus 1; 0: none
	order           int32  // at index i: the index of the item that is the i-th in order
	mode            fs.FileMode
}

func (l *items) add(it item) {
	c := compact{name: l.keep(it.Name), size: it.Size, content: it.content, mode: it.Mode}
	l.place(&c, it)
	last := len(l.chunks) - 1
	if last < 0 || len(l.chunks[last]) == chunk {
		last++
		l.chunks = append(l.chunks, make([]compact, 0, min(last, 1)*chunk))
	}
	l.chunks[last] = append(l.chunks[last], c)
}

// place gives an item its origin: that of the item before, if both files are in the same
// directory.
func (l *items) place(c *compact, it item) {
	o := it.from
	switch {
	case it.Link != "":
		o = &origin{link: it.Link}
		if it.from != nil {
			o.path, o.owner = it.from.path, it.from.owner
		}
	case o == nil:
		return
	case o.at == nil && o.open == nil:
		dir, ok := strings.CutSuffix(o.path, path.Base(it.Name))
		if !ok || dir == "" {
			break
		}
		c.modTime, c.change, c.inode = o.was.modTime, o.was.change, uint32(o.was.inode) //nolint:gosec // the lower half
		was := identity{device: o.was.device, inode: o.was.inode &^ 0xffffffff}
		if l.shared > 0 {
			if last := l.origins[l.shared-1]; last.dir == dir && last.owner == o.owner && last.was == was {
				c.origin = l.shared
				return
			}
		}
		o = &origin{dir: strings.Clone(dir), owner: o.owner, was: was}
		l.shared = int32(len(l.origins) + 1) //nolint:gosec // as in sort
	}
	l.origins = append(l.origins, o)
	c.origin = int32(len(l.origins)) //nolint:gosec // as in sort
}

// keep stores a name and returns its place.
func (l *items) keep(name string) uint64 {
	if len(l.names) == 0 || l.last.Cap()-l.last.Len() < len(name) {
		l.last = strings.Builder{}
		l.last.Grow(max(len(name), nameBytes))
		l.names = append(l.names, "")
	}
	at := l.last.Len()
	l.last.WriteString(name)
	l.names[len(l.names)-1] = l.last.String()
	return uint64(len(l.names)-1)<<32 | uint64(at)<<16 | uint64(len(name)) //nolint:gosec // none is negative
}

func (l *items) len() int {
	switch last := len(l.chunks) - 1; {
	case l.sorted > 0:
		return l.sorted
	case last >= 0:
		return last*chunk + len(l.chunks[last])
	}
	return 0
}

func (l *items) compact(i int) *compact {
	c := &l.chunks[i/chunk][i%chunk]
	if l.sorted > 0 {
		i = int(c.order)
		c = &l.chunks[i/chunk][i%chunk]
	}
	return c
}

func (l *items) nameOf(c *compact) string {
	at := c.name >> 16 & 0xffff
	return l.names[c.name>>32][at : at+c.name&0xffff]
}

func (l *items) name(i int) string { return l.nameOf(l.compact(i)) }

func (l *items) at(i int) item {
	c := l.compact(i)
	it := item{Item: Item{Name: l.nameOf(c), Mode: c.mode, Size: c.size}, content: c.content}
	if c.origin == 0 {
		return it
	}
	it.from = l.origins[c.origin-1]
	it.Link, it.was = it.from.link, it.from.was
	if it.from.dir != "" {
		it.was.modTime, it.was.change, it.was.inode = c.modTime, c.change, it.was.inode|uint64(c.inode)
	}
	return it
}

// sort sorts the items by name. Of several items for a directory, it keeps one.
func (l *items) sort() {
	order := make([]int32, l.len())
	for i := range order {
		order[i] = int32(i) // 2^31 entries would be a TiB of headers
	}
	slices.SortFunc(order, func(i, j int32) int {
		if order := strings.Compare(l.name(int(i)), l.name(int(j))); order != 0 {
			return order
		}
		x, y := l.at(int(i)), l.at(int(j))
		return cmp.Compare(x.file(), y.file()) // for the same problem each time
	})
	order = slices.CompactFunc(order, func(i, j int32) bool {
		return l.compact(int(i)).mode.IsDir() && l.name(int(i)) == l.name(int(j))
	})
	for i, at := range order {
		l.compact(i).order = at
	}
	l.sorted = len(order)
}

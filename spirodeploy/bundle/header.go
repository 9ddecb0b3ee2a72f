package bundle

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"
)

const (
	blockSize  = 512
	nameSize   = 100
	prefixSize = 155
	// maxOctal is the largest number of a 12-byte field: 11 octal digits and a NUL.
	maxOctal = 1<<33 - 1
	// trailerSize is the size of the two zero blocks at the end of an archive.
	trailerSize = 2 * blockSize
)

// Type flags of POSIX.1-2017, ustar and pax.
const (
	typeRegular = '0'
	typeSymlink = '2'
	typeDir     = '5'
	typePax     = 'x'
)

// canonicalMode returns the type of a mode with the permissions of the format.
func canonicalMode(mode fs.FileMode) fs.FileMode {
	switch {
	case mode&fs.ModeSymlink != 0:
		return fs.ModeSymlink | 0o644
	case mode.IsDir():
		return fs.ModeDir | 0o755
	case mode&0o100 != 0:
		return 0o755
	}
	return 0o644
}

// headerSize returns the number of bytes that appendHeader appends.
func headerSize(h Item) int64 {
	if records := paxRecords(h); records != "" {
		return blockSize + padded(int64(len(records))) + blockSize
	}
	return blockSize
}

// appendHeader appends the blocks before an entry's content. It does not use archive/tar,
// because the bytes are this package's promise: no release of a library may change them.
// (A test compares them with archive/tar all the same.)
func appendHeader(b []byte, h Item, modTime time.Time) []byte {
	mtime := modTime.Unix()
	records := paxRecords(h)
	if records != "" {
		dir, base := path.Split(h.Name)
		name := ascii(path.Join(dir, "PaxHeaders.0", base))
		name = strings.TrimRight(name[:min(len(name), nameSize)], "/")
		b = appendBlock(b, block{name: name, size: int64(len(records)), flag: typePax})
		b = append(b, records...)
		b = appendZeros(b, padding(int64(len(records))))
	}

	blk := block{mode: int64(h.Mode.Perm()), size: h.Size, mtime: mtime, flag: typeRegular, link: ascii(h.Link)}
	switch h.Mode.Type() {
	case fs.ModeDir:
		blk.flag = typeDir
	case fs.ModeSymlink:
		blk.flag = typeSymlink
	}
	if h.Size > maxOctal {
		blk.size = 0
	}
	// With pax records, the name field serves readers without pax only.
	blk.name = ascii(h.Name)
	if records == "" {
		if prefix, name, ok := splitName(h.Name); ok {
			blk.prefix, blk.name = prefix, name
		}
	}
	return appendBlock(b, blk)
}

// paxRecords returns the records that an entry needs beyond ustar, or "".
func paxRecords(h Item) string {
	var records string
	if !fits(h.Link) {
		records += paxRecord("linkpath", h.Link)
	}
	huge := h.Size > maxOctal
	if !fits(h.Name) {
		// A name is split only if nothing else needs a pax header.
		if _, _, ok := splitName(h.Name); !ok || records != "" || huge {
			records += paxRecord("path", h.Name)
		}
	}
	if huge {
		records += paxRecord("size", strconv.FormatInt(h.Size, 10))
	}
	return records
}

func fits(s string) bool { return len(s) <= nameSize && isASCII(s) }

// paxRecord returns "LENGTH KEY=VALUE\n", where LENGTH counts the whole record,
// its own digits included.
func paxRecord(key, value string) string {
	rest := " " + key + "=" + value + "\n"
	size := len(rest) + len(strconv.Itoa(len(rest)))
	size = len(rest) + len(strconv.Itoa(size)) // its own digits may make it longer by one
	return strconv.Itoa(size) + rest
}

// splitName splits a name that is too long for the name field, if it can be split.
func splitName(name string) (prefix, rest string, ok bool) {
	if len(name) <= nameSize || !isASCII(name) {
		return "", "", false
	}
	last := min(len(name)-1, prefixSize+1) // a trailing slash is no place to split
	i := strings.LastIndexByte(name[:last], '/')
	if i <= 0 || len(name)-i-1 > nameSize {
		return "", "", false
	}
	return name[:i], name[i+1:], true
}

// block is a ustar header block; POSIX.1-2017, pax, "ustar Interchange Format".
type block struct {
	name, link, prefix string
	mode, size, mtime  int64
	flag               byte
}

func appendBlock(b []byte, blk block) []byte {
	start := len(b)
	b = appendZeros(b, blockSize)
	h := b[start:]
	copyName(h[0:100], blk.name)
	octal(h[100:108], blk.mode)
	octal(h[108:116], 0) // uid
	octal(h[116:124], 0) // gid
	octal(h[124:136], blk.size)
	octal(h[136:148], blk.mtime)
	h[156] = blk.flag
	copyName(h[157:257], blk.link)
	copy(h[257:265], "ustar\x0000")
	if blk.flag != typePax { // as archive/tar has it
		octal(h[329:337], 0) // device major
		octal(h[337:345], 0) // device minor
	}
	copy(h[345:500], blk.prefix)
	octal(h[148:155], checksum(h))
	h[155] = ' '
	return b
}

// copyName copies as much of a name as fits. It does not end behind a slash, so that a
// reader without pax does not take a file for a directory.
func copyName(field []byte, name string) {
	if copy(field, name) < len(name) && field[len(field)-1] == '/' {
		field[len(strings.TrimRight(name[:len(field)], "/"))] = 0
	}
}

// octal fills a field with digits, up to the NUL at its end.
func octal(field []byte, n int64) {
	for i := len(field) - 2; i >= 0; i-- {
		field[i] = byte('0' + n&7)
		n >>= 3
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] == 0 {
			return false
		}
	}
	return true
}

// ascii removes characters that are not ASCII.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x80 || r == 0 {
			return -1
		}
		return r
	}, s)
}

var zeros [trailerSize]byte

func appendZeros(b []byte, n int64) []byte { return append(b, zeros[:n]...) }

// padding returns how many zeros follow content of a size.
func padding(size int64) int64 { return -size & (blockSize - 1) }

func padded(size int64) int64 { return size + padding(size) }

package bundle

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// member is an entry of a tar, whoever made it.
type member struct {
	flag         byte // its type
	name, link   string
	size         int64 // of the content behind its header
	mode         int64
	uid, gid     int64
	uname, gname string
	modTime      time.Time
	global       bool // whether a pax global header stands before it
}

// regular reports whether the member is a regular file.
func (m *member) regular() bool { return m.flag == typeRegular }

// Type flags beside those of header.go: of POSIX.1-2017, ustar and pax, and of
// GNU tar.
const (
	typeOld      = 0 // a file, before ustar
	typeHard     = '1'
	typeGlobal   = 'g'
	typeLongName = 'L'
	typeLongLink = 'K'
	typeSparse   = 'S'
)

const (
	// maxName is the longest name or link target, in bytes: no system that a server runs
	// on takes a longer path (PATH_MAX of Linux).
	maxName = 4096
	// maxDepth is the largest number of directories in a name.
	maxDepth = 256
	// maxRecords is the largest size of a pax header's records, in bytes, as in
	// archive/tar.
	maxRecords = 1 << 20
)

// members reads the headers of any tar. It accepts only headers that every reader takes
// in the same way, and fails with [ErrHeader] for others. It is stricter than archive/tar
// and Python's tarfile, which differ on the rest: whose prefix field counts, which of two
// long names, what a number is.
type members struct {
	r       *bufio.Reader
	at      int64  // offset in the tar
	content int64  // unread content of the last member, in bytes
	due     int64  // padding after that
	kept    []byte // the last headers, with the padding before them
	header  []byte // the block of the last header
	tidy    bool   // whether the archive ends as this format asks
}

// extension holds the headers before a member's own.
type extension struct {
	records            map[string]string // of a pax header; nil without one
	longName, longLink string
	global             bool
}

func (x *extension) empty() bool {
	return x.records == nil && x.longName == "" && x.longLink == "" && !x.global
}

// next returns the next member. The error is [io.EOF] at the end of the archive.
func (r *members) next() (*member, error) {
	if err := r.skip(r.content); err != nil {
		return nil, err
	}
	r.content = 0
	r.kept = r.kept[:0]
	if err := r.keep(r.due); isCut(err) {
		return nil, errNoEnd
	} else if err != nil {
		return nil, err
	}
	r.due = 0
	var before extension
	for {
		start, kept := r.at, len(r.kept)
		err := r.keep(blockSize)
		if r.at == start && isCut(err) && before.empty() {
			return nil, errNoEnd
		}
		if err != nil {
			return nil, err
		}
		r.header = append(r.header[:0], r.kept[kept:]...)
		if isZero(r.header) {
			if !before.empty() {
				return nil, placed(odd("the archive ends where an entry is due"), start)
			}
			return nil, r.end(start)
		}
		m, err := r.take(r.header, &before)
		if errors.Is(err, errNotTar) && start > 0 {
			err = odd("its checksum is wrong") // some readers take it for the end of the archive
		}
		if m != nil || err != nil {
			return m, placed(err, start)
		}
	}
}

// errNotTar means that a block is not a header.
var errNotTar = errors.New("not a tar archive")

// take parses a header block. It returns a member, or nil if the block is an extension of
// the next header.
func (r *members) take(block []byte, before *extension) (*member, error) {
	if !checksumRight(block) {
		return nil, errNotTar
	}
	own, err := parseBlock(block)
	if err != nil {
		return nil, err
	}
	magic := string(fieldMagic.of(block))
	gnu, ustar := magic == magicGNU, magic == magicUstar
	switch own.flag {
	case typePax, typeGlobal:
		return nil, r.pax(own, before, ustar)
	case typeLongName, typeLongLink:
		return nil, r.long(own, before, gnu)
	}
	switch {
	case before.records != nil && !ustar:
		return nil, odd("a pax header stands before one that is not ustar")
	case before.longName+before.longLink != "" && !gnu:
		return nil, odd("a long name of GNU tar stands before a header that is not GNU tar's")
	case own.flag == typeOld && !before.empty():
		return nil, odd("its type is that of the oldest tars, and a header of newer ones stands before it")
	}
	if err := own.extend(before); err != nil {
		return nil, err
	}
	if err := own.check(magic == magicV7); err != nil {
		return nil, err
	}
	r.content, r.due = own.size, padding(own.size)
	return own, nil
}

// parseBlock reads the fields of a header block.
func parseBlock(block []byte) (*member, error) {
	m := &member{flag: block[atFlag]}
	if m.flag == typeSparse {
		name, _, _ := bytes.Cut(fieldName.of(block), []byte{0})
		return nil, sparse(string(name))
	}
	f := fields{block: block}
	m.name, m.link = f.text(fieldName), f.text(fieldLink)
	m.mode, m.uid, m.gid, m.size = f.octal(fieldMode), f.number(fieldUID), f.number(fieldGID), f.number(fieldSize)
	sec := f.number(fieldTime)
	m.modTime = time.Unix(sec, 0)
	f.check(checkTime(sec))
	if len(bytes.Trim(fieldSize.of(block), " \x00")) == 0 {
		f.check(odd("it has no size"))
	}
	if m.uid < 0 || m.gid < 0 || m.size < 0 {
		f.check(odd("a number in it is negative"))
	}
	switch magic := string(fieldMagic.of(block)); magic {
	case magicV7:
		// GNU tar writes its zeros for devices here, too.
		f.octal(fieldMajor)
		f.octal(fieldMinor)
		if !isZero(fieldUname.of(block)) || !isZero(fieldGname.of(block)) || !isZero(afterMinor.of(block)) {
			f.check(odd("it has fields of ustar, and is none"))
		}
	case magicUstar, magicGNU:
		m.uname, m.gname = f.text(fieldUname), f.text(fieldGname)
		f.octal(fieldMajor)
		f.octal(fieldMinor)
		prefix := f.text(fieldPrefix)
		if !isZero(afterPrefix.of(block)) {
			f.check(odd("something stands behind its last field"))
		}
		if prefix == "" {
			break
		}
		if magic == magicGNU {
			// There are times of GNU tar's there, which Python takes for a prefix.
			f.check(odd("it is GNU tar's, and has something in the place of ustar's prefix"))
		} else if strings.HasSuffix(prefix, "/") || m.name == "" && m.flag != typeDir || strings.HasPrefix(m.name, "/") {
			// Python puts the whole name of a directory there, so that the slash ends it.
			f.check(odd("its prefix and its name cannot be joined in one way only"))
		}
		m.name = prefix + "/" + m.name
	default:
		f.check(odd("its magic %q is neither that of ustar nor of GNU tar", magic))
	}
	return m, f.err
}

// pax reads a pax header.
func (r *members) pax(own *member, before *extension, ustar bool) error {
	switch {
	case !ustar:
		return odd("it is a pax header, and not ustar")
	case before.records != nil || before.longName+before.longLink != "":
		return odd("it is a pax header behind another header for the same entry")
	case own.flag == typeGlobal && before.global:
		return odd("it is a pax global header behind another one")
	}
	data, err := r.special(own, maxRecords)
	if err != nil {
		return err
	}
	found, err := records(data)
	if err != nil {
		return err
	}
	if own.flag != typeGlobal {
		before.records = found
		return nil
	}
	// "git archive" writes a comment. Other keys could rename all entries behind it, for
	// readers that heed them.
	for key := range found {
		if key != "comment" {
			return odd("it is a pax global header with %s, which readers take differently", printable(key))
		}
	}
	before.global = true
	return nil
}

// long reads GNU tar's header for a long name or target.
func (r *members) long(own *member, before *extension, gnu bool) error {
	to := &before.longName
	if own.flag == typeLongLink {
		to = &before.longLink
	}
	switch {
	case !gnu:
		return odd("it is a long name of GNU tar, and not GNU tar's header")
	case *to != "":
		return odd("it is a second long name for one entry")
	case before.records != nil || before.global:
		return odd("it is a long name of GNU tar behind a pax header")
	}
	data, err := r.special(own, maxName+1)
	if err != nil {
		return err
	}
	text := strings.TrimSuffix(string(data), "\x00")
	if text == "" || strings.ContainsRune(text, 0) {
		return odd("its long name is not one text")
	}
	*to = text
	return nil
}

// special reads the data behind the header of an extension into kept.
func (r *members) special(own *member, most int64) ([]byte, error) {
	if own.size > most {
		return nil, odd("it has %d bytes of names and the like, more than %d", own.size, most)
	}
	start := len(r.kept)
	if err := r.keep(padded(own.size)); err != nil {
		return nil, err
	}
	data := r.kept[start:]
	if !isZero(data[own.size:]) {
		return nil, odd("its padding is not zero")
	}
	return data[:own.size], nil
}

// extend applies the headers before the member's own.
func (m *member) extend(before *extension) (err error) {
	m.global = before.global
	if before.longName != "" {
		m.name = before.longName
	}
	if before.longLink != "" {
		m.link = before.longLink
	}
	for key, value := range before.records {
		switch key {
		case "path":
			m.name = value
		case "linkpath":
			m.link = value
		case "size":
			n, parseErr := strconv.ParseInt(value, 10, 64)
			// The field has the same size, unless that is too large for it.
			if parseErr != nil || m.size != n && (m.size != 0 || n <= maxOctal) {
				err = odd("its pax header has another size")
			}
			m.size = n
		case "mtime":
			m.modTime, _ = paxTime(value) // it was checked
		case "uid":
			m.uid, _ = strconv.ParseInt(value, 10, 64) // these are digits
		case "gid":
			m.gid, _ = strconv.ParseInt(value, 10, 64)
		case "uname":
			m.uname = value
		case "gname":
			m.gname = value
		}
	}
	return err
}

// check settles the type and checks the fields against it.
func (m *member) check(old bool) error {
	slash := strings.HasSuffix(m.name, "/")
	if m.flag == typeOld {
		m.flag = typeRegular
		if slash {
			if !old {
				return odd("it is a file whose name ends in a slash: a directory to some readers")
			}
			m.flag = typeDir
		}
	}
	isLink := m.flag == typeSymlink || m.flag == typeHard
	switch {
	case m.size > 0 && !m.regular():
		return odd("it has content, and is no file")
	case m.size > 1<<62:
		return odd("its size is out of range")
	case slash && m.flag != typeDir:
		return odd("its name ends in a slash, and it is no directory")
	case strings.HasSuffix(m.name, "//"):
		return odd("its name ends in more than one slash")
	case !isLink && m.link != "":
		return odd("it has a link's target, and is no link")
	case isLink && m.link == "":
		return odd("it is a link without a target")
	}
	return nil
}

// keep reads n bytes into kept.
func (r *members) keep(n int64) error {
	start := len(r.kept)
	r.kept = append(r.kept, make([]byte, n)...)
	got, err := io.ReadFull(r.r, r.kept[start:])
	r.kept = r.kept[:start+got]
	r.at += int64(got)
	return cut(err)
}

// cut returns io.ErrUnexpectedEOF for the end of the file, where more is due.
func cut(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// skip skips content.
func (r *members) skip(n int64) error {
	for n > 0 {
		m, err := r.r.Discard(int(min(n, 1<<30)))
		r.at, n = r.at+int64(m), n-int64(m)
		if err != nil {
			return cut(err)
		}
	}
	return nil
}

// Read reads a member's content.
func (r *members) Read(p []byte) (int, error) {
	if r.content == 0 {
		return 0, io.EOF
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.content)])
	r.at, r.content = r.at+int64(n), r.content-int64(n)
	if r.content > 0 {
		err = cut(err)
	}
	return n, err
}

// end reads the rest of the tar behind the first block of zeros. The rest must be zeros:
// some readers stop at the first block of zeros, some at the second, and some read on.
func (r *members) end(start int64) error {
	rest := make([]byte, pieceSize)
	for {
		n, err := io.ReadFull(r.r, rest)
		r.at += int64(n)
		if !isZero(rest[:n]) {
			return placed(odd("something stands behind the end of the archive"), start)
		}
		if err == nil {
			continue
		}
		if !isCut(err) && !errors.Is(err, io.EOF) {
			return err
		}
		if r.at%blockSize != 0 { // archive/tar looks at the second block, and fails
			return placed(odd("the archive ends in the middle of a block"), start)
		}
		r.tidy = r.at-start == trailerSize && isZero(r.kept)
		return io.EOF
	}
}

// errNoEnd means that a file ends where an entry does: it may be half of a tar.
var errNoEnd = errors.New("it does not have the block of zeros that ends an archive")

// isCut reports whether an error means that a file ends too early.
func isCut(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errNoEnd)
}

// fileMode returns the type and the permissions of a member. The type comes from the
// flag, as for all readers; the mode field may have another one.
func (m *member) fileMode() fs.FileMode {
	mode := fs.FileMode(m.mode) & fs.ModePerm //nolint:gosec // the other bits do not count
	switch m.flag {
	case typeDir:
		mode |= fs.ModeDir
	case typeSymlink:
		mode |= fs.ModeSymlink
	}
	return mode
}

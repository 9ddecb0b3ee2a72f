package bundle

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/human"
)

// Contents is what [Verify] found in a tar.
type Contents struct {
	Items  []Item // in the order of the tar
	Digest digest.Digest
	Size   int64 // in bytes
	// Commit is the content of .gitcommit, or "" if there is none. It names the commit
	// that the bundle was made from.
	Commit string
	// Unsafe are the reasons not to send the tar: entries that a server would write
	// outside of the deployment, or could not unpack.
	Unsafe Problems
	// Foreign are the first other reasons why the tar is not in this package's format. It
	// is, if both lists are empty.
	Foreign Problems
}

// Verify reads any uncompressed tar to its end. It returns the entries, whether the tar
// is safe to send, and whether it is in the format of the package comment. A header that
// two readers could take differently is unsafe ([ErrHeader]), and ends the list. The
// error means that the tar cannot be read, or that the content is not a tar.
func Verify(r io.Reader) (*Contents, error) {
	v, err := verify(r, nil)
	if err != nil {
		return nil, err
	}
	v.contents.Items = make([]Item, v.listed.items.len())
	for i := range v.contents.Items {
		v.contents.Items[i] = v.listed.items.at(i).Item
	}
	return v.contents, nil
}

// verify calls each with the content of every regular file, unless it is nil. The caller
// takes the items from listed.
func verify(r io.Reader, each func(Item, io.Reader) error) (*verifier, error) {
	digester := digest.SHA256.Digester()
	v := &verifier{ctx: ctxio.Context(r), contents: &Contents{}, modTime: -1}
	v.tar.r = bufio.NewReaderSize(io.TeeReader(r, digester.Hash()), pieceSize)
	err := v.read(each)
	if err == nil {
		err = v.checkTree()
	}
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	if more := v.strange - len(v.contents.Foreign); more > 0 {
		v.contents.Foreign = append(v.contents.Foreign, Problem{Err: fmt.Errorf("and %s more", human.Plural(more, "reason"))})
	}
	v.contents.Digest, v.contents.Size = digester.Digest(), v.tar.at
	return v, nil
}

type verifier struct {
	ctx      context.Context //nolint:containedctx // that of the one call that all of this is
	tar      members
	contents *Contents
	listed   listed
	modTime  int64  // of the first entry
	want     []byte // the header that this format has for an entry
	links    bool   // whether there are hard links
	strange  int    // reasons for Contents.Foreign
}

// maxForeign limits Contents.Foreign: the tar of another program may have a reason for each entry.
const maxForeign = 1000

func (v *verifier) foreign(name, format string, args ...any) {
	if v.strange++; v.strange > maxForeign {
		return
	}
	v.contents.Foreign = append(v.contents.Foreign, Problem{Path: name, Err: fmt.Errorf(format, args...)})
}

func (v *verifier) unsafe(name string, err error) {
	v.contents.Unsafe = append(v.contents.Unsafe, Problem{Path: name, Err: err})
}

func (v *verifier) read(each func(Item, io.Reader) error) error {
	if start, err := v.tar.r.Peek(blockSize); err == nil && checksumRight(start) {
		if name := compressed(start); name != "" {
			v.unsafe("", fmt.Errorf("%w: it is %s data and a tar at once", ErrHeader, name))
		}
	}
	for {
		padding := v.tar.due
		m, err := v.tar.next()
		switch {
		case errors.Is(err, io.EOF):
			return v.end()
		case errors.Is(err, ErrHeader):
			name, _, _ := strings.Cut(string(fieldName.of(v.tar.header)), "\x00")
			v.contents.Unsafe = append(v.contents.Unsafe, Problem{Path: name, Err: err, Hint: headerHint})
			rest, err := io.Copy(io.Discard, v.tar.r)
			v.tar.at += rest
			return err
		case err != nil:
			return v.notTar(err)
		}
		it, ok := v.header(m, padding)
		var content io.Reader = &v.tar
		if it.Name == GitCommitFile && ok {
			var commit []byte
			commit, err = io.ReadAll(io.LimitReader(content, maxCommit))
			v.contents.Commit = string(commit)
			content = io.MultiReader(bytes.NewReader(commit), content)
		}
		if each != nil && ok && m.regular() && err == nil {
			err = each(it, content)
		}
		if err != nil {
			return v.notTar(err)
		}
	}
}

// headerHint helps against headers that only some programs write.
const headerHint = "make it anew with {output}, or with tar --format=ustar"

// maxCommit is how much of a .gitcommit is kept, in bytes.
const maxCommit = 4 << 10

// notTar says what a file looks like that is not a tar.
func (v *verifier) notTar(err error) error {
	switch {
	case v.tar.at == 0 && isCut(err):
		return errors.New("it is empty")
	case isCut(err) && v.tar.at >= blockSize:
		return fmt.Errorf("it is cut off after %d bytes: %w", v.tar.at, err)
	case !isCut(err) && !errors.Is(err, errNotTar):
		return err
	}
	if name := compressed(v.tar.kept); name != "" {
		return fmt.Errorf("not an uncompressed tar but %s data: decompress it first", name)
	}
	return errNotTar
}

// compressed returns the compression format of data that begins with start, or "".
// Python's tarfile looks for these formats before it takes a file for a tar.
func compressed(start []byte) string {
	for magic, name := range map[string]string{
		"\x1f\x8b": "gzip", "BZh": "bzip2", "\xfd7zXZ": "xz", "\x5d\x00\x00\x80": "lzma", "LZIP\x01": "lzip", "\x28\xb5\x2f\xfd": "zstd", "PK\x03\x04": "zip",
	} {
		if bytes.HasPrefix(start, []byte(magic)) {
			return name
		}
	}
	return ""
}

// end checks the end of the archive.
func (v *verifier) end() error {
	if !v.tar.tidy {
		v.foreign("", "does not end with two blocks of zeros and nothing behind them")
	}
	return nil
}

// header adds an entry, and checks everything that one header can show. It reports
// whether a bundle can have such an entry.
func (v *verifier) header(m *member, padding int64) (Item, bool) {
	it := Item{Name: m.name, Mode: m.fileMode(), Link: m.link}
	if m.global {
		v.foreign("", "has a pax global header")
	}
	before := v.strange
	switch m.flag {
	case typeRegular:
		it.Size = m.size
	case typeDir, typeSymlink:
	case typeHard:
		v.links = true
		v.foreign(m.name, "is a hard link")
	default:
		v.unsafe(m.name, fmt.Errorf("is of type %q: %w", m.flag, ErrKind))
		return it, false
	}
	if err := cmp.Or(checkText(m.name), checkText(m.link)); err != nil {
		v.unsafe(m.name[:min(len(m.name), 100)], err)
		return it, false
	}
	v.listed.items.add(item{Item: it, content: v.tar.at})
	if err := checkName(strings.TrimSuffix(m.name, "/")); err != nil {
		v.foreign(m.name, "%w", err)
	}
	if strings.HasSuffix(m.name, "/") != it.Mode.IsDir() {
		v.foreign(m.name, "is a directory, and has no slash at the end of its name")
	}
	sec := m.modTime.Unix()
	if v.modTime < 0 {
		v.modTime = sec
	}
	switch want := canonicalMode(it.Mode); {
	case m.uid != 0 || m.gid != 0 || m.uname != "" || m.gname != "":
		v.foreign(m.name, "has an owner (%d:%d %q:%q), not 0:0 without names", m.uid, m.gid, m.uname, m.gname)
	case m.mode != int64(want.Perm()):
		v.foreign(m.name, "has the mode %04o, not %04o", m.mode, want.Perm())
	case sec != v.modTime || m.modTime.Nanosecond() != 0 || v.modTime < 0 || v.modTime > maxOctal:
		v.foreign(m.name, "has a modification time of its own, %s", m.modTime.UTC().Format(time.RFC3339Nano))
	}
	v.want = appendZeros(v.want[:0], padding)
	v.want = appendHeader(v.want, Item{it.Name, canonicalMode(it.Mode), it.Size, it.Link}, time.Unix(v.modTime, 0))
	if v.strange == before && !bytes.Equal(v.tar.kept, v.want) {
		v.foreign(m.name, "has a header that is not written as this format writes it")
	}
	return it, true
}

// checkTree checks the entries against each other.
func (v *verifier) checkTree() error {
	l := &v.listed
	for i := 1; i < l.items.len(); i++ {
		if before, name := l.items.name(i-1), l.items.name(i); before >= name {
			v.foreign(name, "does not come after %s in bytewise order", printable(before))
			break
		}
	}
	l.last = make(map[string]int32, l.items.len())
	for _, check := range []func(i int, it *item){v.checkItem, v.checkPlace} {
		for i := range l.items.len() {
			if v.ctx.Err() != nil {
				return ctxio.Reason(v.ctx)
			}
			it := l.items.at(i)
			check(i, &it)
		}
	}
	slices.SortStableFunc(v.contents.Unsafe, func(x, y Problem) int { return strings.Compare(x.Path, y.Path) })
	return nil
}

// checkItem checks an entry by its name and the entries before it.
func (v *verifier) checkItem(i int, it *item) {
	name := path.Clean(it.Name)
	switch {
	case path.IsAbs(name):
		v.unsafe(it.Name, fmt.Errorf("%w: is absolute", ErrName))
		return
	case isBelow(it.Name, ".."):
		// Even if the name seems to stay inside: a part of it may be a link.
		v.unsafe(it.Name, fmt.Errorf("%w: has .. as an element", ErrName))
		return
	case name == "." && (!it.Mode.IsDir() || it.Name == ""):
		v.unsafe(it.Name, fmt.Errorf("%w: is that of the root, which is a directory", ErrName))
		return
	case name == ".":
		return
	}
	if it.isHard() {
		v.checkHard(it)
	}
	before, twice := v.listed.entry(name)
	switch {
	case twice && before.Mode.Type() != it.Mode.Type():
		v.unsafe(it.Name, fmt.Errorf("%w, of different kinds", ErrDuplicate))
	case twice && it.Mode&fs.ModeSymlink != 0:
		// Which of them another link leads to depends on the order of unpacking.
		v.unsafe(it.Name, fmt.Errorf("%w, both symbolic links", ErrDuplicate))
	case twice && !it.Mode.IsDir() && v.links:
		// Some programs write the second one into the file that has the other name.
		v.unsafe(it.Name, fmt.Errorf("%w, in a tar with hard links", ErrDuplicate))
	case twice && !it.Mode.IsDir():
		v.foreign(it.Name, "%w", ErrDuplicate)
	}
	v.listed.add(name, i)
}

// checkHard checks a hard link by the entries before it.
func (v *verifier) checkHard(it *item) {
	target, ok := v.listed.entry(path.Clean(it.Link))
	if !ok || !target.Mode.IsRegular() || isBelow(it.Link, "..") || strings.HasSuffix(it.Link, "/") || path.IsAbs(it.Link) {
		v.unsafe(it.Name, fmt.Errorf("is a hard link to %s, which is no file of the bundle before it", printable(it.Link)))
	}
}

// checkPlace checks the directories above an entry, and where a link leads.
func (v *verifier) checkPlace(i int, it *item) {
	l, name := &v.listed, path.Clean(it.Name)
	if last, ok := l.last[name]; !ok || last != int32(i) { //nolint:gosec // as in add
		return // its name is bad, or a later entry replaces it
	}
	missing := false
	for dir := parent(name); dir != ""; dir = parent(dir) {
		above, ok := l.entry(dir)
		missing = missing || !ok
		if ok && !above.Mode.IsDir() {
			v.unsafe(it.Name, fmt.Errorf("lies below %s, which is no directory", printable(dir)))
			return
		}
	}
	if missing {
		v.foreign(it.Name, "lies in a directory that is no entry")
	}
	if it.Mode&fs.ModeSymlink == 0 {
		return
	}
	err := checkLink(l, name, it.Link)
	switch {
	case err == nil:
	case errors.Is(err, errLeaves):
		v.unsafe(it.Name, err)
	default:
		v.foreign(it.Name, "%w", err)
	}
}

// isHard reports whether an item is a hard link: another name of the file Link.
func (it *Item) isHard() bool { return it.Mode.IsRegular() && it.Link != "" }

// listed is the entries of any tar.
type listed struct {
	items items
	// last has the last entry of each clean name. The directories above entries that are
	// not entries are implied: unpacking makes them, so links can lead through them.
	last map[string]int32
}

const implied = -1

func (l *listed) add(name string, i int) {
	l.last[name] = int32(i) //nolint:gosec // 2^31 entries would be a TiB of headers
	for dir := parent(name); dir != ""; dir = parent(dir) {
		if _, known := l.last[dir]; known {
			break
		}
		l.last[dir] = implied
	}
}

// entry returns an entry.
func (l *listed) entry(name string) (it Item, ok bool) {
	it, ok = l.look(name)
	return it, ok && l.last[name] != implied
}

// look is entry, also for implied directories. If the name does not exist, the item is a
// directory, so that it is not a regular file.
func (l *listed) look(name string) (it Item, ok bool) {
	i, ok := l.last[name]
	if !ok || i == implied {
		return Item{Mode: fs.ModeDir}, ok
	}
	return l.items.at(int(i)).Item, true
}

// find returns the index of a regular file by its name, or by that of a hard link to it,
// or -1.
func (l *listed) find(name string) int {
	name = path.Clean(name)
	switch it, _ := l.look(name); {
	case !it.Mode.IsRegular():
		return -1
	case it.isHard():
		return l.find(it.Link)
	}
	return int(l.last[name])
}

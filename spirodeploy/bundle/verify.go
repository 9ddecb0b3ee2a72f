package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// Contents is what [Verify] found in a tar.
type Contents struct {
	Items  []Item // in the order of the tar
	Digest digest.Digest
	Size   int64 // in bytes
	// Commit is the content of .gitcommit, which names the commit that the bundle
	// was made from; empty if there is none.
	Commit string
	// Unsafe are the reasons not to send it: entries that would be written
	// outside of the deployment, or that no server could unpack.
	Unsafe Problems
	// Foreign are the other reasons why it is not in the format of this package.
	// Where there are none of either, it is.
	Foreign Problems
}

// Verify reads any uncompressed tar to its end, and says what is in it, whether
// it is safe to send and whether it is in the format that the package comment
// specifies. The error means that it cannot be read, or is no tar.
func Verify(r io.Reader) (*Contents, error) { return verify(r, nil) }

// verify calls each, if there is one, with every regular file's content.
func verify(r io.Reader, each func(Item, io.Reader) error) (*Contents, error) {
	v := &verifier{raw: &recorder{r: r, digester: digest.SHA256.Digester()}, contents: &Contents{}, modTime: -1, hard: map[int]bool{}}
	if err := v.read(each); err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	v.checkTree()
	c := v.contents
	c.Digest, c.Size = v.raw.digester.Digest(), v.raw.size
	return c, nil
}

// recorder digests what is read through it, and keeps what is read while it is
// told to: the headers and the padding, not the content.
type recorder struct {
	r        io.Reader
	digester digest.Digester
	size     int64
	keep     bool
	kept     []byte
}

func (rec *recorder) Read(p []byte) (int, error) {
	n, err := rec.r.Read(p)
	rec.size += int64(n)
	_, _ = rec.digester.Hash().Write(p[:n]) // a hash takes everything
	if rec.keep {
		rec.kept = append(rec.kept, p[:min(n, maxKept-len(rec.kept))]...)
	}
	return n, err
}

// maxKept is more than a header of this format can have: archive/tar reads pax
// records of 1 MiB at most. A tar may have any number of headers for one entry.
const maxKept = 2 << 20

type verifier struct {
	raw      *recorder
	contents *Contents
	modTime  int64        // of the first entry
	padding  int64        // due after the content read last
	hard     map[int]bool // the hard links among the items
}

func (v *verifier) foreign(name, format string, args ...any) {
	v.contents.Foreign = append(v.contents.Foreign, Problem{Path: name, Err: fmt.Errorf(format, args...)})
}

func (v *verifier) unsafe(name string, err error) {
	v.contents.Unsafe = append(v.contents.Unsafe, Problem{Path: name, Err: err})
}

func (v *verifier) read(each func(Item, io.Reader) error) error {
	tr := tar.NewReader(v.raw)
	buf := make([]byte, pieceSize)
	for {
		v.raw.keep, v.raw.kept = true, v.raw.kept[:0]
		h, err := tr.Next()
		v.raw.keep = false
		if errors.Is(err, io.EOF) {
			return v.end()
		}
		if err != nil {
			return v.notTar(err)
		}
		if isSparse(h) {
			// Its holes would be read as zeros: a few bytes could stand for exabytes.
			return fmt.Errorf("%s is a sparse file: make the tar without --sparse", printable(h.Name))
		}
		it := v.header(h)
		content := struct{ io.Reader }{tr}
		if it.Name == GitCommitFile {
			v.contents.Commit = ""
			content.Reader = io.TeeReader(tr, (*commitWriter)(&v.contents.Commit))
		}
		if each != nil && h.Typeflag == tar.TypeReg {
			if err := each(it, content); err != nil {
				return err
			}
		}
		// Hidden methods of both must not get between: they use small buffers.
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, content, buf); err != nil {
			return v.notTar(err)
		}
		v.padding = padding(it.Size)
	}
}

// commitWriter keeps what a .gitcommit begins with: more is none.
type commitWriter string

func (w *commitWriter) Write(p []byte) (int, error) {
	const most = 4 << 10
	*w += commitWriter(p[:min(len(p), most-len(*w))])
	return len(p), nil
}

// isSparse reports whether a header is one of GNU tar's for files with holes.
func isSparse(h *tar.Header) bool {
	if h.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// notTar says what a file that is no tar looks like.
func (v *verifier) notTar(err error) error {
	cut := errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case cut && v.raw.size >= blockSize:
		return fmt.Errorf("it is cut off after %d bytes: %w", v.raw.size, err)
	case !cut && !errors.Is(err, tar.ErrHeader), len(v.contents.Items) > 0:
		return err
	}
	for magic, name := range map[string]string{
		"\x1f\x8b": "gzip", "BZh": "bzip2", "\xfd7zXZ": "xz", "\x28\xb5\x2f\xfd": "zstd", "PK\x03\x04": "zip",
	} {
		if bytes.HasPrefix(v.raw.kept, []byte(magic)) {
			return fmt.Errorf("not an uncompressed tar but %s data: decompress it first", name)
		}
	}
	return errors.New("not a tar archive")
}

// end checks what stands behind the last entry.
func (v *verifier) end() error {
	want := appendZeros(appendZeros(nil, v.padding), trailerSize)
	same := bytes.Equal(v.raw.kept, want)
	n, err := io.Copy(io.Discard, v.raw)
	if err != nil {
		return err
	}
	if v.raw.size == 0 {
		return errors.New("it is empty")
	}
	if int64(len(v.raw.kept)) < v.padding+blockSize {
		// Half of a file that ends where an entry does looks like a whole one else.
		return fmt.Errorf("it is cut off after %d bytes: it does not have the block of zeros that ends an archive", v.raw.size)
	}
	if !same || n > 0 {
		v.foreign("", "does not end with two blocks of zeros and nothing behind them")
	}
	return nil
}

// header takes in an entry, and checks all that one header can show.
func (v *verifier) header(h *tar.Header) Item {
	// The kind is the type flag's, as for all who unpack; the mode field may lie.
	it := Item{Name: h.Name, Mode: h.FileInfo().Mode().Perm(), Link: h.Linkname}
	found := len(v.contents.Foreign)
	switch h.Typeflag {
	case tar.TypeReg:
		it.Size = h.Size
	case tar.TypeDir:
		it.Mode |= fs.ModeDir
	case tar.TypeSymlink:
		it.Mode |= fs.ModeSymlink
	case tar.TypeXGlobalHeader:
		v.global(h)
		return it
	case tar.TypeLink:
		v.hard[len(v.contents.Items)] = true
		v.foreign(h.Name, "is a hard link")
	default:
		v.unsafe(h.Name, fmt.Errorf("is of type %q: %w", h.Typeflag, ErrKind))
		return it
	}
	v.contents.Items = append(v.contents.Items, it)
	if err := checkName(strings.TrimSuffix(h.Name, "/")); err != nil {
		v.foreign(h.Name, "%w", err)
	}
	if strings.HasSuffix(h.Name, "/") != it.Mode.IsDir() {
		v.foreign(h.Name, "has a slash at the end of its name and is no directory, or the other way round")
	}
	if v.modTime < 0 {
		v.modTime = h.ModTime.Unix()
	}
	switch want := canonicalMode(it.Mode); {
	case h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "":
		v.foreign(h.Name, "has an owner (%d:%d %q:%q), not 0:0 without names", h.Uid, h.Gid, h.Uname, h.Gname)
	case h.Mode != int64(want.Perm()):
		v.foreign(h.Name, "has the mode %04o, not %04o", h.Mode, want.Perm())
	case h.ModTime.Unix() != v.modTime || h.ModTime.Nanosecond() != 0 || v.modTime < 0 || v.modTime > maxOctal:
		v.foreign(h.Name, "has a modification time of its own, %s", h.ModTime.UTC().Format(time.RFC3339Nano))
	}
	want := appendZeros(nil, v.padding)
	want = appendHeader(want, header{name: it.Name, mode: canonicalMode(it.Mode), size: it.Size, link: it.Link}, time.Unix(v.modTime, 0))
	if len(v.contents.Foreign) == found && !bytes.Equal(v.raw.kept, want) {
		v.foreign(h.Name, "has a header that is not written as this format writes it")
	}
	return it
}

// global takes in a pax global header. As "git archive" writes it, it holds a
// comment; but it can rename all that follows, for those who heed it.
func (v *verifier) global(h *tar.Header) {
	v.foreign("", "has a pax global header")
	for _, key := range slices.Sorted(maps.Keys(h.PAXRecords)) {
		if key == "path" || key == "linkpath" || key == "size" || strings.HasPrefix(key, "GNU.sparse.") {
			v.unsafe("", fmt.Errorf("has a pax global header with %s, which readers take differently", key))
		}
	}
}

// checkTree checks the entries against each other.
func (v *verifier) checkTree() {
	items := v.contents.Items
	for i := 1; i < len(items); i++ {
		if strings.Compare(items[i-1].Name, items[i].Name) >= 0 {
			v.foreign(items[i].Name, "does not come after %s in bytewise order", printable(items[i-1].Name))
			break
		}
	}
	sorted := make([]header, 0, len(items))
	kinds := map[string]fs.FileMode{}
	for i, it := range items {
		name := path.Clean(it.Name)
		switch {
		case path.IsAbs(name):
			v.unsafe(it.Name, fmt.Errorf("%w: is absolute", ErrName))
			continue
		case isBelow(it.Name, ".."):
			// Even where it seems to stay inside: what stands before may be a link.
			v.unsafe(it.Name, fmt.Errorf("%w: has .. as an element", ErrName))
			continue
		case name == "." && !it.Mode.IsDir():
			v.unsafe(it.Name, fmt.Errorf("%w: is that of the root, which is a directory", ErrName))
			continue
		case name == ".":
			continue
		}
		if kind, ok := kinds[path.Clean(it.Link)]; v.hard[i] && (!ok || kind != 0) {
			v.unsafe(it.Name, fmt.Errorf("is a hard link to %s, which is no file of the bundle before it", printable(it.Link)))
		}
		kind, twice := kinds[name]
		switch {
		case twice && kind != it.Mode.Type():
			v.unsafe(it.Name, fmt.Errorf("%w, of different kinds", ErrDuplicate))
		case twice && kind == fs.ModeSymlink:
			// Which one is there when another link is followed?
			v.unsafe(it.Name, fmt.Errorf("%w, both symbolic links", ErrDuplicate))
		case twice && !it.Mode.IsDir():
			v.foreign(it.Name, "%w", ErrDuplicate)
		}
		kinds[name] = it.Mode.Type()
		if it.Mode.IsDir() {
			name += "/"
		}
		sorted = append(sorted, header{name: name, mode: it.Mode, link: it.Link})
	}
	sorted = append(sorted, implied(kinds)...)
	slices.SortStableFunc(sorted, func(x, y header) int { return strings.Compare(x.name, y.name) })
	t := tree{len(sorted), func(i int) header { return sorted[i] }}
	for _, h := range sorted {
		if _, ok := kinds[strings.TrimSuffix(h.name, "/")]; ok {
			v.checkPlace(t, kinds, h)
		}
	}
	slices.SortStableFunc(v.contents.Unsafe, func(x, y Problem) int { return strings.Compare(x.Path, y.Path) })
}

// implied returns the directories that are no entries: whoever unpacks makes
// them, so that links can lead through them.
func implied(kinds map[string]fs.FileMode) []header {
	var dirs []header
	found := map[string]bool{}
	for name := range kinds {
		for dir := path.Dir(name); dir != "." && !found[dir]; dir = path.Dir(dir) {
			if _, ok := kinds[dir]; ok {
				continue
			}
			found[dir] = true
			dirs = append(dirs, header{name: dir + "/", mode: fs.ModeDir})
		}
	}
	return dirs
}

// checkPlace checks the directory that an entry lies in, and where a link leads.
func (v *verifier) checkPlace(t tree, kinds map[string]fs.FileMode, h header) {
	missing := false
	for dir := path.Dir(path.Clean(h.name)); dir != "."; dir = path.Dir(dir) {
		kind, ok := kinds[dir]
		missing = missing || !ok
		if ok && kind != fs.ModeDir {
			v.unsafe(h.name, fmt.Errorf("lies below %s, which is no directory", printable(dir)))
			return
		}
	}
	if missing {
		v.foreign(h.name, "lies in a directory that is no entry")
	}
	if h.mode&fs.ModeSymlink == 0 {
		return
	}
	err := t.checkLink(h.name, h.link)
	switch {
	case err == nil:
	case errors.Is(err, errLeaves):
		v.unsafe(h.name, err)
	default:
		v.foreign(h.name, "%w", err)
	}
}

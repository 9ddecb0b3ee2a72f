package bundle_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// file, folder and link are headers as this format has them.
func file(name, content string) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(0, 0), PAXRecords: map[string]string{contentKey: content}}
}

// contentKey is where a header of these tests carries its content until it is written.
const contentKey = "TEST.content"

func folder(name string) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755, ModTime: time.Unix(0, 0)}
}

func link(name, target string) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o644, ModTime: time.Unix(0, 0)}
}

// with changes a header.
func with(h *tar.Header, change func(h *tar.Header)) *tar.Header {
	change(h)
	return h
}

func pack(tb testing.TB, headers ...*tar.Header) []byte {
	tb.Helper()
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, h := range headers {
		content := h.PAXRecords[contentKey]
		delete(h.PAXRecords, contentKey)
		check(tb, tw.WriteHeader(h))
		_, err := io.WriteString(tw, content)
		check(tb, err)
	}
	check(tb, tw.Close())
	return buf.Bytes()
}

// patch changes bytes of a header block, and makes its checksum right again.
func patch(data []byte, block, offset int, value string) []byte {
	data = slices.Clone(data)
	h := data[512*block:][:512]
	copy(h[offset:], value)
	copy(h[148:156], "        ")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return data
}

// Fields of a header block.
const (
	atName    = 0
	atMode    = 100
	atSize    = 124
	atFlag    = 156
	atVersion = 263
	atPrefix  = 345
)

func TestVerify(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("d/", 60)
	good := pack(t, folder("d/"), file("d/x", "content"), link("l", "d/x"))
	for _, tt := range []struct {
		name            string
		data            []byte
		foreign, unsafe string // of each problem, what its text begins with, a line for each
	}{
		{"as it should be", good, "", ""},
		{"nothing in it", make([]byte, 1024), "", ""},

		// 1
		{"hard link", pack(t, file("a", ""), with(link("b", "a"), func(h *tar.Header) { h.Typeflag = tar.TypeLink })), "b: is a hard link", ""},
		{"hard link before its file", pack(t, with(link("a", "b"), func(h *tar.Header) { h.Typeflag = tar.TypeLink }), file("b", "")), "a: is a hard link", "a: is a hard link to b, which is no file of the bundle before it"},
		{"hard link outside", pack(t, with(link("a", "../b"), func(h *tar.Header) { h.Typeflag = tar.TypeLink })), "a: is a hard link", "a: is a hard link to ../b, which is no file"},
		{"hard link to itself", pack(t, with(link("a", "a"), func(h *tar.Header) { h.Typeflag = tar.TypeLink })), "a: is a hard link", "a: is a hard link to a, which"},
		{"hard link to a link", pack(t, link("a", "."), with(link("b", "a"), func(h *tar.Header) { h.Typeflag = tar.TypeLink })), "b: is a hard link", "b: is a hard link to a, which"},
		{"named pipe", pack(t, with(folder("p"), func(h *tar.Header) { h.Typeflag = tar.TypeFifo })), "", "p: is of type '6': neither"},
		{"device", pack(t, with(folder("p"), func(h *tar.Header) { h.Typeflag = tar.TypeChar })), "", "p: is of type '3': neither"},
		{"global header", pack(t, &tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "abc"}}, file("a", "")), "has a pax global header\na: has a header", ""},
		{"global header that renames", pack(t, &tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"path": "../b"}}, file("a", "")), "", "GlobalHead.0.0: unsafe header at byte 0: it is a pax global header with path, which"},

		// 2
		{"./ before names", pack(t, folder("./"), file("./a", "")), "./: bad name: not a clean path\n./a: bad name: not a clean path", ""},
		{"double slash", pack(t, folder("d/"), file("d//a", "")), "d//a: bad name: not a clean path", ""},
		{"invalid UTF-8", patch(good, 3, atName, "\xff"), "", `\xff: bad name: is not valid UTF-8`},
		{"absolute", pack(t, file("/a", "")), "/a: bad name: is absolute", "/a: bad name: is absolute"},
		{"outside", pack(t, file("../a", "")), "../a: bad name: has .. as an element", "../a: bad name: has .. as an element"},
		{"outside and back", pack(t, folder("d/"), file("d/../a", "")), "d/../a: bad name: has .. as an element", "d/../a: bad name: has .. as an element"},
		{"through a link to the root", pack(t, link("l", "."), file("l/../a", "")), "l/../a: bad name: has .. as an element", "l/../a: bad name: has .. as an element"},
		{"link in place of the root", pack(t, link("./", "d")), "", "./: unsafe header at byte 0: its name ends in a slash"},
		{"no slash", patch(good, 0, atName, "d\x00"), "d: is a directory, and has no slash at the end of its name", ""},
		{"file with a slash", patch(pack(t, file("a", "")), 0, atName, "a/"), "", "a/: unsafe header at byte 0: its name ends in a slash, and it is no directory"},
		{"missing directory", pack(t, file("d/a", "")), "d/a: lies in a directory that is no entry", ""},
		{"missing directories", pack(t, folder("d/"), file("d/e/f/a", "")), "d/e/f/a: lies in a directory that is no entry", ""},

		// 3
		{"unsorted", pack(t, file("b", ""), file("a", "")), "a: does not come after b in bytewise order", ""},
		{"sorted without the slash", pack(t, folder("a/"), file("a.b", "")), "a.b: does not come after a/", ""},
		{"twice", pack(t, file("a", ""), file("a", "")), "a: does not come after a\na: two entries of one path", ""},
		{"twice, otherwise written", pack(t, file("./a", ""), file("a", "")), "./a: bad name\na: two entries of one path", ""},
		{"directory twice", pack(t, folder("a/"), folder("a/")), "a/: does not come after a/", ""},
		{"link twice", pack(t, link("a", "."), link("a", "b"), folder("b/")), "a: does not come after a", "a: two entries of one path, both symbolic links"},
		{"file and directory", pack(t, file("a", ""), folder("a/")), "", "a/: two entries of one path, of different kinds"},
		{"below a file", pack(t, file("a", ""), file("a/b", "")), "", "a/b: lies below a, which is no directory"},
		{"below a link", pack(t, link("a", "d"), file("a/b", ""), folder("d/")), "", "a/b: lies below a, which is no directory"},

		// 4
		{"other mode", pack(t, with(file("a", ""), func(h *tar.Header) { h.Mode = 0o600 })), "a: has the mode 0600, not 0644", ""},
		{"setuid", pack(t, with(file("a", ""), func(h *tar.Header) { h.Mode = 0o4755 })), "a: has the mode 4755, not 0755", ""},
		{"link for all", pack(t, link("a", "."), with(link("b", "."), func(h *tar.Header) { h.Mode = 0o777 })), "b: has the mode 0777, not 0644", ""},

		// 5
		{"user", pack(t, with(file("a", ""), func(h *tar.Header) { h.Uid = 1000 })), `a: has an owner (1000:0 "":""), not 0:0 without names`, ""},
		{"group name", pack(t, with(file("a", ""), func(h *tar.Header) { h.Gname = "root" })), `a: has an owner (0:0 "":"root")`, ""},
		{"time of its own", pack(t, file("a", ""), with(file("b", ""), func(h *tar.Header) { h.ModTime = time.Unix(1, 0) })), "b: has a modification time of its own, 1970-01-01T00:00:01Z", ""},
		{"parts of a second", pack(t, with(file("a", ""), func(h *tar.Header) { h.ModTime, h.Format = time.Unix(1, 5e8), tar.FormatPAX })), "a: has a modification time", ""},
		{"before 1970", pack(t, with(file("a", ""), func(h *tar.Header) { h.ModTime, h.Format = time.Unix(-5, 0), tar.FormatPAX }), file("b", "")), "a: has a modification time of its own, 1969-12-31T23:59:55Z", ""},
		{"device numbers", patch(pack(t, file("a", "")), 0, 329, "0000001"), "a: has a header that is not written as", ""},

		// 6
		{"absolute link", pack(t, link("a", "/etc")), "", "a: symbolic link to /etc leaves the bundle: it is absolute"},
		{"link outside", pack(t, link("a", "../b")), "", "a: symbolic link to ../b leaves the bundle"},
		{"link outside through another", pack(t, folder("d/"), link("d/up", ".."), link("l", "d/up/..")), "", "l: symbolic link to d/up/.. leaves the bundle"},
		{"link outside through a directory that is no entry", pack(t, file("d/x", ""), link("l", "d/../..")), "d/x: lies in", "l: symbolic link to d/../.. leaves"},
		{"link outside through one with the mode of a directory", patch(pack(t, folder("a/"), link("a/x", "../t"), link("l", "a/x/../.."), folder("t/")), 1, atMode, "0040644"), "a/x: has the mode 40644, not 0644", "l: symbolic link to a/x/../.. leaves"},
		{"file with the mode of a directory", patch(pack(t, file("a", ""), file("a/b", "")), 0, atMode, "0040755"), "a: has the mode 40755, not 0755", "a/b: lies below a, which is no directory"},
		{"dangling link", pack(t, link("a", "b")), "a: symbolic link to b dangles: there is no b in the bundle", ""},
		{"circle", pack(t, link("a", "b"), link("b", "a")), "a: symbolic link to b never ends\nb: symbolic link to a never", ""},

		// 7 and 8
		{"GNU format", pack(t, with(file("a", ""), func(h *tar.Header) { h.Format = tar.FormatGNU })), "a: has a header that is not written as", ""},
		{"GNU long name", pack(t, with(file(strings.Repeat("x", 120), ""), func(h *tar.Header) { h.Format = tar.FormatGNU })), strings.Repeat("x", 120) + ": has a header that is not written as", ""},
		{"needless record", pack(t, with(file("a", ""), func(h *tar.Header) { h.PAXRecords["comment"] = "x" })), "a: has a header that is not written as", ""},
		{"old tar", patch(pack(t, file("a", "")), 0, atFlag, "\x00"), "a: has a header that is not written as", ""},
		{"spaces in numbers", patch(pack(t, file("a", "")), 0, atMode, "   644 "), "a: has a header that is not written as", ""},
		{"split elsewhere", patch(patch(pack(t, folder("d/"), file("d/a", "")), 1, atName, "a\x00\x00"), 1, atPrefix, "d"), "d/a: has a header that is not written as", ""},
		{"other version", patch(pack(t, file("a", "")), 0, atVersion, "01"), "", `a: unsafe header at byte 0: its magic "ustar\x0001" is neither`},
		{"directory with a size", patch(pack(t, folder("a/")), 0, atSize, "00000001000"), "", "a/: unsafe header at byte 0: it has content, and is no file"},
		{"long names, all well", pack(t, append(parents(long), file(long+"x", ""))...), "", ""},

		// 9
		{"ends as GNU tar ends", append(slices.Clone(good), make([]byte, 10240-len(good))...), "does not end with two blocks of zeros and nothing behind them", ""},
		{"one block of zeros", good[:len(good)-512], "does not end with two blocks", ""},
		{"one and a half", good[:len(good)-256], "", "unsafe header at byte 2048: the archive ends in the middle of a block"},
		{"something behind the end", append(slices.Clone(good), "x"...), "", "unsafe header at byte 2048: something stands behind the end"},
		{"garbage in the middle", append(slices.Clone(good[:512]), bytes.Repeat([]byte("x"), 2048)...), "", strings.Repeat("x", 100) + ": unsafe header at byte 512: its checksum is wrong"},
		{"padding not zero", func() []byte { d := slices.Clone(good); d[512*2+9] = 'x'; return d }(), "l: has a header that is not written as", ""},
		{"last padding not zero", func() []byte { d := pack(t, file("a", "x")); d[512+9] = 'x'; return d }(), "does not end with two blocks", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := bundle.Verify(bytes.NewReader(tt.data))
			check(t, err)
			told(t, "foreign", c.Foreign, tt.foreign)
			told(t, "unsafe", c.Unsafe, tt.unsafe)
			if c.Size != int64(len(tt.data)) || c.Digest != digest.FromBytes(tt.data) {
				t.Errorf("size %d, digest %s", c.Size, c.Digest)
			}
		})
	}
}

// parents returns the directories above a name.
func parents(name string) []*tar.Header {
	var found []*tar.Header
	for i := range name {
		if name[i] == '/' {
			found = append(found, folder(name[:i+1]))
		}
	}
	return found
}

func told(t *testing.T, what string, got bundle.Problems, want string) {
	t.Helper()
	var lines []string
	if want != "" {
		lines = strings.Split(want, "\n")
	}
	ok := len(got) == len(lines)
	for i := 0; ok && i < len(got); i++ {
		ok = strings.HasPrefix(got[i].Error(), lines[i])
	}
	if !ok {
		t.Errorf("%s: %v\nwant: %s", what, got, want)
	}
}

func TestVerifyErrors(t *testing.T) {
	t.Parallel()
	good := pack(t, file("a", strings.Repeat("content", 1000)), file("b", "x"))
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := w.Write(good)
	check(t, errors.Join(err, w.Close()))
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "read bundle: it is empty"},
		{"gzip", zipped.Bytes(), "read bundle: not an uncompressed tar but gzip data: decompress it first"},
		{"large gzip", append(zipped.Bytes(), make([]byte, 4096)...), "read bundle: not an uncompressed tar but gzip data: decompress it first"},
		{"bzip2", []byte("BZh91AY&SY" + strings.Repeat("x", 600)), "read bundle: not an uncompressed tar but bzip2 data"},
		{"xz", []byte("\xfd7zXZ\x00" + strings.Repeat("x", 600)), "read bundle: not an uncompressed tar but xz data"},
		{"zstd", []byte("\x28\xb5\x2f\xfd" + strings.Repeat("x", 6)), "read bundle: not an uncompressed tar but zstd data"},
		{"zip", []byte("PK\x03\x04" + strings.Repeat("x", 6)), "read bundle: not an uncompressed tar but zip data"},
		{"text", []byte("hello\n"), "read bundle: not a tar archive"},
		{"long text", bytes.Repeat([]byte("hello\n"), 1000), "read bundle: not a tar archive"},
		{"cut in the content", good[:1000], "read bundle: it is cut off after 1000 bytes: unexpected EOF"},
		{"cut where an entry ends", good[:len(good)-1024], "read bundle: it is cut off after 8704 bytes: it does not have the block of zeros that ends an archive"},
		{"cut in padding", good[:len(good)-1024-10], "read bundle: it is cut off after 8694 bytes: it does not have the block of zeros that ends an archive"},
		{"cut in a header", good[:512+7168+100], "read bundle: it is cut off after 7780 bytes: unexpected EOF"},
		{"old sparse file", patch(pack(t, file("hole", "x")), 0, atFlag, "S"), "read bundle: "},
	} {
		c, err := bundle.Verify(bytes.NewReader(tt.data))
		if err == nil || c != nil || err.Error() != tt.want && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// TestVerifySparse: GNU tar's files with holes, made by GNU tar.
func TestVerifySparse(t *testing.T) {
	t.Parallel()
	need(t, "tar")
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "hole"), nil, 0o644))
	check(t, os.Truncate(filepath.Join(dir, "hole"), 1<<24))
	for _, format := range []string{"--format=gnu", "--format=pax", "--sparse-version=0.1"} {
		args := []string{"-c", "--sparse", "-f", "hole.tar", format}
		if strings.HasPrefix(format, "--sparse") {
			args = append(args, "--format=pax")
		}
		run(t, dir, "tar", append(args, "hole")...)
		data, err := os.ReadFile(filepath.Join(dir, "hole.tar"))
		check(t, err)
		if _, err := bundle.Verify(bytes.NewReader(data)); err == nil || err.Error() != "read bundle: hole is a sparse file: make the tar without --sparse (bsdtar: with --no-read-sparse)" {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// TestVerifyManyHeaders is a tar whose one entry has thousands of headers: they
// are not kept.
func TestVerifyManyHeaders(t *testing.T) {
	one := pack(t, with(file("a", ""), func(h *tar.Header) { h.PAXRecords["comment"] = strings.Repeat("x", 60<<10) }))
	header := one[:len(one)-512-1024]
	many := make([]io.Reader, 2000)
	for i := range many {
		many[i] = bytes.NewReader(header)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := bundle.Verify(io.MultiReader(append(many, bytes.NewReader(one))...))
	check(t, err)
	runtime.ReadMemStats(&after)
	told(t, "unsafe", c.Unsafe, "PaxHeaders.0/a: unsafe header at byte 62464: it is a pax header behind another header")
	if held := int64(after.HeapSys) - int64(before.HeapSys); held > c.Size/2 {
		t.Errorf("the heap has grown by %d bytes for %d of headers", held, c.Size)
	}
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	data, b := build(t, everythingOptions(project(t, everything...)))
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, data, 0o644))
		return path
	}
	open := func(path string) *bundle.Bundle {
		f, err := bundle.OpenFile(t.Context(), path)
		check(t, err)
		t.Cleanup(func() { check(t, f.Close()) })
		return f
	}
	f := open(write("own.tar", data))
	d, err := f.Digest(t.Context())
	check(t, err)
	if f.Size() != b.Size() || f.Len() != b.Len() || d != everythingDigest || len(f.Warnings()) > 0 {
		t.Errorf("size %d, %d entries, %s, warnings %v", f.Size(), f.Len(), d, f.Warnings())
	}
	for range 2 {
		if !bytes.Equal(readAll(t, f), data) {
			t.Error("other bytes than in the file")
		}
	}

	foreign := write("foreign.tar", pack(t, file("b", ""), with(file("a", ""), func(h *tar.Header) { h.Uid = 5 })))
	if w := open(foreign).Warnings(); len(w) != 1 || w[0].String() != foreign+": is not in this project's bundle format: a: has an owner (5:0 \"\":\"\"), not 0:0 without names (and 1 more)" {
		t.Errorf("warnings: %v", w)
	}
	for _, tt := range []struct {
		path, want string
		is         error
	}{
		{filepath.Join(dir, "missing"), "PATH: open bundle: no such file or directory", os.ErrNotExist},
		{dir, "PATH: is a directory, not a bundle (bundles are made with Bundle.WriteTo)", nil},
		{write("empty", nil), "PATH: read bundle: it is empty", nil},
		{write("text", []byte("x")), "PATH: read bundle: not a tar archive", nil},
		{write("unsafe", pack(t, file("../a", ""))), "PATH is not safe to send: ../a: bad name: has .. as an element", bundle.ErrName},
	} {
		f, err := bundle.OpenFile(t.Context(), tt.path)
		if want := strings.Replace(tt.want, "PATH", tt.path, 1); err == nil || f != nil || err.Error() != want || tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%v\nwant: %s", err, want)
		}
		if !errors.As(err, new(bundle.Problems)) {
			t.Errorf("%T holds no Problems", err)
		}
	}

	for name, tt := range map[string]struct {
		change func(path string) error
		want   error
	}{
		"written to": {func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), len(data)), 0o644) }, bundle.ErrDigest},
		"cut":        {func(path string) error { return os.Truncate(path, 700) }, bundle.ErrChanged},
		"grown":      {func(path string) error { return os.Truncate(path, int64(len(data)+1)) }, bundle.ErrChanged},
	} {
		path := write(name, data)
		f := open(path)
		check(t, tt.change(path))
		stops(t, f, tt.want, tt.want.Error()+": ")
	}
}

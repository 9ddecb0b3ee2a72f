package bundle

import (
	"archive/tar"
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"time"
)

// stdHeader writes the header as archive/tar does, which is the independent
// reading of POSIX that ours is held against.
func stdHeader(t *testing.T, h Item, modTime time.Time) []byte {
	t.Helper()
	flag := byte(tar.TypeReg)
	switch h.Mode.Type() {
	case fs.ModeDir:
		flag = tar.TypeDir
	case fs.ModeSymlink:
		flag = tar.TypeSymlink
	}
	var buf bytes.Buffer
	err := tar.NewWriter(&buf).WriteHeader(&tar.Header{
		Typeflag: flag, Name: h.Name, Linkname: h.Link, Size: h.Size, Mode: int64(h.Mode.Perm()), ModTime: modTime,
	})
	if err != nil {
		t.Skipf("archive/tar refuses %+v: %v", h, err)
	}
	return buf.Bytes()
}

func checkHeader(t *testing.T, h Item, modTime time.Time) {
	t.Helper()
	got, want := appendHeader(nil, h, modTime), stdHeader(t, h, modTime)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Errorf("header of %+v differs at byte %d: %q, want %q", h, i, got[i:][:12], want[i:][:12])
			break
		}
	}
	if size := headerSize(h); size != int64(len(want)) || len(got) != len(want) {
		t.Errorf("header of %+v: headerSize %d, %d bytes, want %d", h, size, len(got), len(want))
	}
}

func TestHeaderAsArchiveTar(t *testing.T) {
	t.Parallel()
	s := strings.Repeat
	for _, h := range []Item{
		{Name: "a", Mode: 0o644, Size: 1},
		{Name: "a/", Mode: fs.ModeDir | 0o755},
		{Name: "bin/run", Mode: 0o755, Size: maxOctal},
		{Name: "huge", Mode: 0o644, Size: maxOctal + 1},
		{Name: "l", Mode: fs.ModeSymlink | 0o644, Link: "a"},
		{Name: "l", Mode: fs.ModeSymlink | 0o644, Link: s("x", 101)},
		{Name: "l", Mode: fs.ModeSymlink | 0o644, Link: "ärger"},
		{Name: "größe/…", Mode: 0o644},
		{Name: s("x", 100), Mode: 0o644},
		{Name: s("x", 101), Mode: 0o644},
		{Name: s("d", 60) + "/" + s("x", 60), Mode: 0o644},
		{Name: s("d", 60) + "/" + s("x", 60) + "/", Mode: fs.ModeDir | 0o755},
		{Name: s("d", 155) + "/" + s("x", 100), Mode: 0o644},
		{Name: s("d", 156) + "/" + s("x", 99), Mode: 0o644},
		{Name: s("d", 155) + "/" + s("x", 99) + "/", Mode: fs.ModeDir | 0o755},
		{Name: s("d", 155) + "/" + s("x", 100) + "/", Mode: fs.ModeDir | 0o755},
		{Name: s("d/", 200) + "x", Mode: 0o644},
		{Name: s("ä", 60) + "/x", Mode: 0o644},
		{Name: s("x", 99) + "/ä", Mode: 0o644},
		{Name: s("d", 60) + "/" + s("x", 60), Mode: fs.ModeSymlink | 0o644, Link: s("x", 101)},
		{Name: s("d", 60) + "/" + s("x", 60), Mode: fs.ModeSymlink | 0o644, Link: "ärger"},
		{Name: s("d", 60) + "/" + s("x", 60), Mode: 0o644, Size: maxOctal + 1},
		{Name: s("x", 950), Mode: 0o644}, // the record's length grows by a digit near 1,000
		{Name: s("x", 990), Mode: 0o644},
	} {
		checkHeader(t, h, time.Unix(0, 0))
		checkHeader(t, h, time.Unix(1700000000, 0))
	}
}

func FuzzHeaderAsArchiveTar(f *testing.F) {
	f.Add("a/b", "", uint8(0), int64(3))
	f.Add("ä/"+strings.Repeat("b", 120), "c/ü", uint8(2), int64(0))
	f.Fuzz(func(t *testing.T, name, link string, kind uint8, size int64) {
		if checkName(name) != nil || size < 0 {
			t.Skip()
		}
		h := Item{Name: name, Mode: 0o644, Size: size}
		switch kind % 3 {
		case 1:
			h = Item{Name: name + "/", Mode: fs.ModeDir | 0o755}
		case 2:
			if checkName(link) != nil {
				t.Skip()
			}
			h = Item{Name: name, Mode: fs.ModeSymlink | 0o644, Link: link}
		}
		checkHeader(t, h, time.Unix(0, 0))
	})
}

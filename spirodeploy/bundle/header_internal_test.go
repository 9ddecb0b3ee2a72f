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
func stdHeader(t *testing.T, h header, modTime time.Time) []byte {
	t.Helper()
	flag := byte(tar.TypeReg)
	switch h.mode.Type() {
	case fs.ModeDir:
		flag = tar.TypeDir
	case fs.ModeSymlink:
		flag = tar.TypeSymlink
	}
	var buf bytes.Buffer
	err := tar.NewWriter(&buf).WriteHeader(&tar.Header{
		Typeflag: flag, Name: h.name, Linkname: h.link, Size: h.size, Mode: int64(h.mode.Perm()), ModTime: modTime,
	})
	if err != nil {
		t.Skipf("archive/tar refuses %+v: %v", h, err)
	}
	return buf.Bytes()
}

func checkHeader(t *testing.T, h header, modTime time.Time) {
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
	for _, h := range []header{
		{name: "a", mode: 0o644, size: 1},
		{name: "a/", mode: fs.ModeDir | 0o755},
		{name: "bin/run", mode: 0o755, size: maxOctal},
		{name: "huge", mode: 0o644, size: maxOctal + 1},
		{name: "l", mode: fs.ModeSymlink | 0o644, link: "a"},
		{name: "l", mode: fs.ModeSymlink | 0o644, link: s("x", 101)},
		{name: "l", mode: fs.ModeSymlink | 0o644, link: "ärger"},
		{name: "größe/…", mode: 0o644},
		{name: s("x", 100), mode: 0o644},
		{name: s("x", 101), mode: 0o644},
		{name: s("d", 60) + "/" + s("x", 60), mode: 0o644},
		{name: s("d", 60) + "/" + s("x", 60) + "/", mode: fs.ModeDir | 0o755},
		{name: s("d", 155) + "/" + s("x", 100), mode: 0o644},
		{name: s("d", 156) + "/" + s("x", 99), mode: 0o644},
		{name: s("d", 155) + "/" + s("x", 99) + "/", mode: fs.ModeDir | 0o755},
		{name: s("d", 155) + "/" + s("x", 100) + "/", mode: fs.ModeDir | 0o755},
		{name: s("d/", 200) + "x", mode: 0o644},
		{name: s("ä", 60) + "/x", mode: 0o644},
		{name: s("x", 99) + "/ä", mode: 0o644},
		{name: s("d", 60) + "/" + s("x", 60), mode: fs.ModeSymlink | 0o644, link: s("x", 101)},
		{name: s("d", 60) + "/" + s("x", 60), mode: fs.ModeSymlink | 0o644, link: "ärger"},
		{name: s("d", 60) + "/" + s("x", 60), mode: 0o644, size: maxOctal + 1},
		{name: s("x", 950), mode: 0o644}, // the record's length grows by a digit near 1,000
		{name: s("x", 990), mode: 0o644},
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
		h := header{name: name, mode: 0o644, size: size}
		switch kind % 3 {
		case 1:
			h = header{name: name + "/", mode: fs.ModeDir | 0o755}
		case 2:
			if checkName(link) != nil {
				t.Skip()
			}
			h = header{name: name, mode: fs.ModeSymlink | 0o644, link: link}
		}
		checkHeader(t, h, time.Unix(0, 0))
	})
}

package bundle_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// FuzzVerify takes any bytes. What Verify calls safe must stay inside when it
// is unpacked by the simplest of rules: each entry in turn, names as they are.
func FuzzVerify(f *testing.F) {
	hard := with(link("b", "a"), func(h *tar.Header) { h.Typeflag = tar.TypeLink })
	for _, seed := range [][]byte{
		nil, make([]byte, 1024), make([]byte, 1000), []byte("\x1f\x8b"),
		pack(f, folder("d/"), file("d/x", "content"), link("l", "d/x")),
		pack(f, file("../a", "")), pack(f, file("/a", "")), pack(f, link("a", "/etc")), pack(f, link("a", "b/.."), folder("b/")),
		pack(f, link("l", "."), file("l/../a", "")), pack(f, file("d/x", ""), link("l", "d/../..")),
		pack(f, link("a", "d"), file("a/b", ""), folder("d/")), pack(f, file("a", ""), hard),
		pack(f, folder("d/"), link("d/up", ".."), link("l", "d/up/..")),
		pack(f, file(strings.Repeat("ä", 60), "x")), pack(f, with(file(deep, ""), func(h *tar.Header) { h.Format = tar.FormatGNU })),
		patch(pack(f, folder("a/"), link("a/x", "../t"), link("l", "a/x/../.."), folder("t/")), 1, atMode, "0040644"),
		patch(pack(f, file("hole", "x")), 0, atFlag, "S"),
		pack(f, &tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"path": "../b"}}, file("a", "")),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := bundle.Verify(bytes.NewReader(data))
		if err != nil {
			if c != nil {
				t.Fatal("both contents and an error")
			}
			return
		}
		if c.Size != int64(len(data)) {
			t.Fatalf("size %d of %d bytes", c.Size, len(data))
		}
		if _, err := bundle.Diff(bytes.NewReader(data), bytes.NewReader(data)); (err != nil) != (len(c.Unsafe) > 0) {
			t.Fatalf("unsafe are %v, and Diff says %v", c.Unsafe, err)
		}
		if len(c.Unsafe) == 0 {
			unpackInside(t, data)
		}
	})
}

// unpackInside unpacks below a directory. That nothing leaves it is what
// [os.Root] sees to; that something has tried to is the failure.
func unpackInside(t *testing.T, data []byte) {
	root, err := os.OpenRoot(t.TempDir())
	check(t, err)
	defer root.Close()
	inside := func(name string, err error) {
		if err != nil && strings.Contains(err.Error(), "path escapes from parent") {
			t.Fatalf("%q: %v", name, err)
		}
	}
	for tr := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		check(t, err)
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		inside(h.Name, root.MkdirAll(path.Dir(strings.TrimSuffix(h.Name, "/")), 0o755))
		switch h.Typeflag {
		case tar.TypeDir:
			inside(h.Name, root.MkdirAll(h.Name, 0o755))
		case tar.TypeSymlink:
			_ = root.Remove(h.Name)
			inside(h.Name, root.Symlink(h.Linkname, h.Name))
		case tar.TypeLink:
			inside(h.Name, root.Link(h.Linkname, h.Name))
		default:
			w, err := root.Create(h.Name)
			inside(h.Name, err)
			if err == nil {
				_, _ = io.Copy(w, tr)
				_ = w.Close()
			}
		}
	}
	check(t, fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type()&fs.ModeSymlink != 0 {
			_, statErr := root.Stat(name)
			inside(name, statErr)
		}
		return err
	}))
}

// FuzzBundleNames has a scanner yield any names and links: what comes of it is
// problems, or a bundle in its format that reads back as it was meant.
func FuzzBundleNames(f *testing.F) {
	f.Add("a", "", byte(0), "b", "a", byte(2), "c/d", "", byte(1))
	f.Add("../a", "", byte(0), "b\x00", "/etc", byte(2), "\xff", "", byte(1))
	f.Add("d/up", "..", byte(2), "l", "d/up/..", byte(2), "d", "", byte(1))
	f.Add(long+"x", "", byte(0), long+"ä", "../x", byte(2), deep, "", byte(3))
	f.Add(long+"l", strings.Repeat("./", 60)+"x", byte(2), long+"x", "content", byte(0), "a\n=b", "", byte(0))
	f.Fuzz(func(t *testing.T, name1, body1 string, kind1 byte, name2, body2 string, kind2 byte, name3, body3 string, kind3 byte) {
		var entries []bundle.Entry
		for _, e := range []struct {
			name, body string
			kind       byte
		}{{name1, body1, kind1}, {name2, body2, kind2}, {name3, body3, kind3}} {
			switch e.kind % 4 {
			case 0:
				entries = append(entries, bundle.Entry{Name: e.name, Size: int64(len(e.body)), Open: opens(e.body)})
			case 1:
				entries = append(entries, bundle.Entry{Name: e.name, Mode: fs.ModeDir})
			case 2:
				entries = append(entries, bundle.Entry{Name: e.name, Mode: fs.ModeSymlink | 0o777, Link: e.body})
			case 3:
				entries = append(entries, bundle.Entry{Name: e.name, Mode: 0o100, Size: bundle.Unknown, Open: opens(e.body)})
			}
		}
		// An exclude keeps git from being asked for each.
		opts := bundle.Options{Dir: t.TempDir(), Scanners: []bundle.Scanner{of(entries...)}, Exclude: []string{"/" + bundle.GitCommitFile}}
		b, err := bundle.New(t.Context(), opts)
		if err != nil {
			if !errors.As(err, new(bundle.Problems)) || err.Error() == "" {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		check(t, b.Close())
		data, _ := build(t, opts) // checks that Verify finds it in the format
		unpackInside(t, data)
	})
}

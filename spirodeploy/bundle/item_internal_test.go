package bundle

import (
	"io/fs"
	"testing"
)

// FuzzItems checks that a list of items returns what was added to it.
func FuzzItems(f *testing.F) {
	f.Add("d/a", "link", "a", uint32(0o644), int64(1), int64(2), int64(3), int64(4), uint64(5), uint64(6))
	f.Add("a", "", "/elsewhere/b", uint32(fs.ModeSymlink), int64(-1), int64(1)<<62, int64(-3), int64(7), uint64(1)<<63, ^uint64(0))
	f.Fuzz(func(t *testing.T, name, link, path string, mode uint32, size, content, modTime, change int64, device, inode uint64) {
		want := item{
			Item:    Item{Name: name, Mode: fs.FileMode(mode), Size: size, Link: link},
			origin:  origin{path: path, was: identity{modTime, change, device, inode}, source: &source{}},
			content: content,
		}
		var l items
		l.add(item{})
		l.add(want)
		l.add(want)
		for i := range 2 {
			if got := l.at(i + 1); got != want {
				t.Errorf("item %d is %+v, want %+v", i+1, got, want)
			}
		}
		if got := l.at(0); got != (item{}) {
			t.Errorf("the first item is %+v", got)
		}
	})
}

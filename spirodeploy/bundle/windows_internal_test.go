package bundle

import (
	"bytes"
	"errors"
	"io/fs"
	"testing"
	"time"
)

// seen is what a system says of a file.
type seen struct {
	mode fs.FileMode
	size int64
}

func (s seen) Name() string       { return "x" }
func (s seen) Size() int64        { return s.size }
func (s seen) Mode() fs.FileMode  { return s.mode }
func (s seen) ModTime() time.Time { return time.Unix(1, 0) }
func (s seen) IsDir() bool        { return s.mode.IsDir() }
func (s seen) Sys() any           { return nil }

// TestWindowsModes has what Windows says of files (package os: 0666, or 0444 for
// one that is read-only, and 0777 for directories) give the bytes that a Unix
// system's words give for a file that nobody may execute.
func TestWindowsModes(t *testing.T) {
	t.Parallel()
	headerOf := func(mode fs.FileMode, name string) []byte {
		e, err := fileEntry(name, "no such file", seen{mode, 7})
		if err != nil {
			t.Fatalf("%v: %v", mode, err)
		}
		h := Item{Name: name, Mode: canonicalMode(e.Mode), Size: e.Size}
		return appendHeader(nil, h, time.Unix(0, 0))
	}
	for _, tt := range []struct {
		windows, unix fs.FileMode
		name          string
		same          bool
	}{
		{0o666, 0o644, "a.sls", true},
		{0o444, 0o644, "a.sls", true},
		{fs.ModeDir | 0o777, fs.ModeDir | 0o755, "a/", true},
		{fs.ModeDir | 0o555, fs.ModeDir | 0o755, "a/", true}, // a read-only one
		// Windows knows no such bit, whatever the name ends in.
		{0o666, 0o755, "run.exe", false},
	} {
		if same := bytes.Equal(headerOf(tt.windows, tt.name), headerOf(tt.unix, tt.name)); same != tt.same {
			t.Errorf("%s: %v and %v give the same header: %v, want %v", tt.name, tt.windows, tt.unix, same, tt.same)
		}
	}
	// A junction, or a file that is only in the cloud.
	if _, err := fileEntry("x", "x", seen{fs.ModeIrregular | 0o666, 0}); !errors.Is(err, ErrKind) {
		t.Errorf("a reparse point of an unknown kind: %v, want %v", err, ErrKind)
	}
}

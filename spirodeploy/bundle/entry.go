package bundle

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"strings"
	"unicode/utf8"
)

// Unknown is the Size of an [Entry] whose size is not known, or whose content can be read only once.
const Unknown = -1

// An Entry is one thing to bundle, as a [Scanner] yields it.
type Entry struct {
	// Name is the slash path, relative to where the scanner's entries go.
	Name string
	// Mode gives the type (regular, fs.ModeDir or fs.ModeSymlink) and, of the
	// permissions, whether the owner may execute it. Nothing else counts.
	Mode fs.FileMode
	// Size is the number of bytes that Open will yield, exactly. With Unknown,
	// Open is called once, before the scanner goes on, and what it yields is
	// kept in a temporary file.
	Size int64
	// Link is the target of a symbolic link.
	Link string
	// Open opens a regular file's content; it may be called more than once.
	Open func() (io.ReadCloser, error)

	asked bool    // whether it is to be left out was asked already
	from  *origin // of an entry of this package: where its content comes from, if Open is nil
}

// A Scanner yields what one part of a bundle holds, in any order. It is given
// the project directory and a function that says whether a name (and for a
// directory, everything below it) is to be left out; entries for which that
// is so are left out in any case, asking saves the work. An error that it
// yields becomes a [Problem], or a [Warning] if it wraps one; scanning goes on while
// it yields.
//
// Parent directories need not be yielded.
type Scanner func(ctx context.Context, dir string, skip func(name string) bool) iter.Seq2[Entry, error]

// FileEntry returns the entry for a file, directory or symbolic link on disk,
// not following the link. The error is that of [os.Lstat], [os.Open] or
// [os.Readlink], or wraps [ErrKind]; a [Scanner] may yield both as they are.
func FileEntry(name, path string) (Entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Entry{Name: name, from: &origin{path: path}}, err
	}
	return fileEntry(name, path, info)
}

func fileEntry(name, path string, info fs.FileInfo) (Entry, error) {
	e := Entry{Name: name, Mode: info.Mode(), from: &origin{path: path}}
	switch info.Mode().Type() {
	case 0:
		e.Size, e.from.was = info.Size(), identityOf(info)
		return e, checkReadable(path, info.Mode())
	case fs.ModeDir:
		return e, nil
	case fs.ModeSymlink:
		target, err := os.Readlink(path)
		e.Link = linkTarget(target)
		return e, err
	}
	return e, fmt.Errorf("is a %s: %w", kindOf(info.Mode()), ErrKind)
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// checkName returns the reason why a slash path (without the trailing slash of
// a directory) cannot be in a bundle, or nil.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: empty", ErrName)
	case strings.HasPrefix(name, "/"):
		return fmt.Errorf("%w: is absolute", ErrName)
	case name == ".." || strings.HasPrefix(name, "../") || strings.Contains(name, "/../") || strings.HasSuffix(name, "/.."):
		return fmt.Errorf("%w: has .. as an element", ErrName)
	}
	if err := checkText(name); err != nil {
		return err
	}
	if path.Clean(name) != name || name == "." {
		return fmt.Errorf("%w: not a clean path (%q would be)", ErrName, path.Clean(name))
	}
	return nil
}

// checkText returns why a name or target cannot be on any server, or nil.
func checkText(name string) error {
	why := flaw(name)
	if strings.Count(name, "/") > maxDepth {
		why = cmp.Or(why, fmt.Sprintf("is more than %d directories deep", maxDepth))
	}
	if why == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrName, why)
}

// flaw returns what is wrong with a text as a name or target, or "".
func flaw(text string) string {
	switch {
	case len(text) > maxName:
		return fmt.Sprintf("has more than %d bytes", maxName)
	case !utf8.ValidString(text):
		return "is not valid UTF-8"
	case strings.ContainsRune(text, 0):
		return "has a NUL character"
	}
	return ""
}

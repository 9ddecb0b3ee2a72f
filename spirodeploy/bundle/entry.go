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
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Unknown is the Size of an [Entry] whose size is unknown, or that can be read only once.
const Unknown = -1

// An Entry is one thing to bundle, as a [Scanner] yields it.
type Entry struct {
	// Name is the slash path, relative to where the scanner's entries go.
	Name string
	// Mode is the type (regular, fs.ModeDir or fs.ModeSymlink), and whether the owner
	// may execute a file. Other bits do not count.
	Mode fs.FileMode
	// Size is the exact size of a regular file's content, in bytes. If it is Unknown,
	// the content is copied to a temporary file before the scanner goes on.
	Size int64
	// Link is the target of a symbolic link.
	Link string
	// Open opens a regular file's content. It may be called more than once, unless Size
	// is Unknown. It is nil in the entries of this package's scanners and of FileEntry;
	// setting it replaces their content.
	Open func() (io.ReadCloser, error)

	asked  bool // whether the scanner has asked skip
	origin      // of an entry of this package: its content if Open is nil
}

// A Scanner yields the entries of one part of a bundle, in any order. It may leave out
// parent directories. It gets the project directory, and a function that reports
// whether the bundle leaves out a name, and everything below it if that is a
// directory. The bundle leaves out such entries in any case; asking first saves work.
// An error becomes a [Problem], or a [Warning] if it wraps one, and does not end the
// scan.
type Scanner func(ctx context.Context, dir string, skip func(name string) bool) iter.Seq2[Entry, error]

// FileEntry returns the entry for a file, directory or symbolic link on disk. It does
// not follow the link. The error comes from [os.Lstat], [os.Open] or [os.Readlink], or
// wraps [ErrKind]; a [Scanner] may yield both results as they are.
func FileEntry(name, path string) (Entry, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return Entry{Name: name, origin: origin{path: path}}, err
	}
	return fileEntry(name, path, info)
}

func fileEntry(name, path string, info fs.FileInfo) (Entry, error) {
	e := Entry{Name: name, origin: origin{path: path}}
	err := e.describe(info, path, os.OpenFile, os.Readlink)
	return e, err
}

// describe sets the rest of an entry to what info says. The functions of package os, or
// those of an [os.Root], open the file or read the link by its path.
func (e *Entry) describe(
	info fs.FileInfo, path string, open func(string, int, fs.FileMode) (*os.File, error), readlink func(string) (string, error),
) (err error) {
	e.Mode = info.Mode()
	switch e.Mode.Type() {
	case 0:
		e.Size, e.was = info.Size(), identityOf(info)
		if e.Mode.Perm()&0o444 == 0o444 {
			break // everybody may read it
		}
		// The walk finds an unreadable file, which would otherwise stop an upload half-way.
		var opened *os.File
		if opened, err = open(path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
			err = opened.Close()
		}
	case fs.ModeDir:
	case fs.ModeSymlink:
		e.Link, err = readlink(path)
		e.Link = filepath.ToSlash(e.Link)
	default:
		err = fmt.Errorf("is a %s: %w", kindOf(e.Mode), ErrKind)
	}
	return err
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

// checkName returns why a slash path, without the slash at the end of a directory's,
// cannot be in a bundle, or nil.
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

// checkText returns why no server can have a name or target, or nil.
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

// flaw returns why a text cannot be a name or target, or "".
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

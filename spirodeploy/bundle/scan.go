package bundle

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Filesystem scans the files below the project directory, for [Options.Source].
func Filesystem(ctx context.Context, dir string, skip func(name string) bool) iter.Seq2[Entry, error] {
	return walkDir(ctx, dir, skip)
}

// ParseSource returns the scanner for one of the names that users type:
// "filesystem" or "fs" for [Filesystem], "git" for [Git], "" for none.
func ParseSource(name string) (Scanner, error) {
	switch name {
	case "":
		return nil, nil
	case "filesystem", "fs":
		return Filesystem, nil
	case "git":
		return Git, nil
	}
	return nil, fmt.Errorf("source %q: not one of filesystem, fs, git", name)
}

// below returns a scanner of what lies below a directory.
func below(top string) Scanner {
	return func(ctx context.Context, _ string, skip func(string) bool) iter.Seq2[Entry, error] {
		return walkDir(ctx, top, skip)
	}
}

// walkDir yields everything below a directory.
func walkDir(ctx context.Context, top string, skip func(name string) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		walkInto(ctx, top, "", skip, yield)
	}
}

// walkInto yields what is in the directory rel of top, and reports whether to go on.
func walkInto(ctx context.Context, top, rel string, skip func(string) bool, yield func(Entry, error) bool) bool {
	dir := filepath.Join(top, filepath.FromSlash(rel))
	found, err := os.ReadDir(dir)
	if err != nil && !yield(Entry{Name: rel, path: dir}, err) {
		return false
	}
	for _, d := range found {
		name := path.Join(rel, d.Name())
		if skip(name) {
			continue
		}
		if ctx.Err() != nil {
			return false
		}
		file := dir + string(filepath.Separator) + d.Name()
		e, err := dirEntry(name, file, d)
		if !yield(e, err) {
			return false
		}
		if d.IsDir() && !walkInto(ctx, top, name, skip, yield) {
			return false
		}
	}
	return true
}

func dirEntry(name, file string, d fs.DirEntry) (Entry, error) {
	info, err := d.Info()
	if err != nil {
		return Entry{Name: name, path: file}, err
	}
	return fileEntry(name, file, info)
}

// contentEntry is a file with content that is at hand.
func contentEntry(name string, content []byte) Entry {
	return Entry{Name: name, Size: int64(len(content)), at: bytes.NewReader(content)}
}

// linkTarget returns the target of a symbolic link as a slash path.
func linkTarget(target string) string {
	return strings.ReplaceAll(target, string(filepath.Separator), "/")
}

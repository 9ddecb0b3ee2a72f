package bundle

import (
	"io/fs"
	"path/filepath"
	"strings"
)

// in returns a path that may be relative to dir.
func in(dir, p string) string {
	if dir == "" {
		dir = "."
	}
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(dir, p)
}

// inside returns the path of a file relative to a directory that it lies in.
// Links in it are resolved only where nothing else shows that it lies there: a
// file that is a link keeps its own name.
func inside(dir, file string) (rel string, ok bool) {
	for _, resolve := range []func(string) string{filepath.Clean, absolute} {
		rel, err := filepath.Rel(resolve(dir), filepath.Join(resolve(filepath.Dir(file)), filepath.Base(file)))
		if err == nil && filepath.IsLocal(rel) {
			return rel, true
		}
	}
	return "", false
}

// inDir returns the absolute path of a file, of which only the directory is
// resolved: if it is a link, it stays one.
func inDir(p string) string { return filepath.Join(absolute(filepath.Dir(p)), filepath.Base(p)) }

// absolute returns the one path of a file that may not exist yet.
func absolute(p string) string {
	abs, err := filepath.Abs(p)
	if err != nil {
		return filepath.Clean(p)
	}
	if resolved, err := filepath.EvalSymlinks(abs); err == nil {
		return resolved
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(dir, filepath.Base(abs))
	}
	return abs
}

// reason strips the path that an error of package os repeats. What somebody has
// wrapped is left as it is: it may be about another file.
func reason(err error) error {
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // see above
		return pe.Err
	}
	return err
}

// shellQuote quotes a word for a POSIX shell, where that is needed.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./+:,@%", r)
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

package bundle

import (
	"io/fs"
	"path/filepath"
)

// in returns the path p, which may be relative to dir.
func in(dir, p string) string {
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(dir, p)
}

// inside returns the path of a file relative to a directory, if the file is inside. It
// resolves links only if it must; a file that is itself a link keeps its name.
func inside(dir, file string) (rel string, ok bool) {
	for _, resolve := range []func(string) string{filepath.Clean, absolute} {
		rel, err := filepath.Rel(resolve(dir), filepath.Join(resolve(filepath.Dir(file)), filepath.Base(file)))
		if err == nil && filepath.IsLocal(rel) {
			return rel, true
		}
	}
	return "", false
}

// inDir returns the absolute path of a file. It resolves links in the directory, but
// not the file itself.
func inDir(p string) string { return filepath.Join(absolute(filepath.Dir(p)), filepath.Base(p)) }

// absolute returns the absolute path of a file without links in it. The file need not
// exist.
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

// reason strips the path from an error of package os. It leaves a wrapped error alone,
// which may be about another file.
func reason(err error) error {
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // see above
		return pe.Err
	}
	return err
}

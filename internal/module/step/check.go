package step

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// check checks whether a project can be deployed: its tree can be bundled, and its top
// file is right in every deployment. The error lists every problem.
func (s step) check(ctx context.Context) error {
	b, problems, warnings := s.tree(ctx)
	if b != nil {
		defer b.Close()
	}
	wrong, odd := s.checkTop(ctx, b)
	return errors.Join(errlist.Join(append(problems, wrong...)...), s.warn(append(warnings, odd...)))
}

// checkTop checks the top file of the bundle, or that of the states on disk if there is
// no bundle because the tree has problems.
func (s step) checkTop(ctx context.Context, b *bundle.Bundle) (problems []error, warnings []string) {
	if b != nil {
		_, problems, warnings = preflight.Check(ctx, preflight.Of(b), preflight.Options{})
		return problems, warnings
	}
	root, err := os.OpenRoot(s.at(filepath.Join(ProjectDir, bundle.SaltDir)))
	if err != nil {
		return nil, nil // the bundler reports it
	}
	defer root.Close()
	_, problems, warnings = preflight.Check(ctx, states{root}, preflight.Options{})
	return problems, warnings
}

// states are the files of _salt on disk, as a bundle would have them.
type states struct{ root *os.Root }

// Names yields the files and directories.
func (s states) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		_ = fs.WalkDir(s.root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
			info, statErr := s.root.Stat(name) // through links, as Open goes
			if err != nil || statErr != nil || name == "." {
				return nil //nolint:nilerr // the bundler reports it
			}
			if info.IsDir() {
				name += "/"
			}
			if !yield(name) {
				return fs.SkipAll
			}
			return nil
		})
	}
}

// Has reports whether a name exists, and whether it is a directory.
func (s states) Has(name string) (dir, ok bool) {
	info, err := s.root.Stat(name)
	return err == nil && info.IsDir(), err == nil
}

// Open opens a file.
func (s states) Open(name string) (io.ReadCloser, error) {
	switch info, err := s.root.Stat(name); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // opening a pipe would wait
		return nil, fmt.Errorf("%s: %w", name, bundle.ErrKind)
	}
	return s.root.Open(name)
}

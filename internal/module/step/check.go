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
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// salt is the directory with the states of a project.
const salt = "_salt"

// check checks whether a project can be deployed: its tree can be bundled, and its top
// file is right in every deployment. The error lists every problem. An artifact that does
// not exist gets a warning only, since a check may come before a build.
func (s step) check(ctx context.Context) error {
	problems, warnings := s.sortArtifacts()
	opts, err := s.options()
	var b *bundle.Bundle
	if err == nil {
		b, err = bundle.New(ctx, opts)
	}
	problems = append(problems, problemsOf(s.named(err))...)
	if b != nil {
		defer b.Close()
		for _, w := range b.Warnings() {
			warnings = append(warnings, s.namedText(w.String()))
		}
	}
	wrong, odd := s.checkTop(ctx, b)
	return errors.Join(errlist.Join(append(problems, wrong...)...), s.warn(append(warnings, odd...)))
}

// problemsOf returns the problems of a tree, or any other error by itself.
func problemsOf(err error) []error {
	if problems, ok := err.(bundle.Problems); ok { //nolint:errorlint // one that is wrapped has a text of its own
		return problems.Unwrap()
	}
	return []error{err}
}

// sortArtifacts keeps the artifacts that can be bundled. It returns a problem for each
// one outside of the project, and a warning for each one that does not exist.
func (s *step) sortArtifacts() (problems []error, warnings []string) {
	var there []string
	for _, text := range s.Artifacts {
		a := bundle.ParseArtifact(s.at(ProjectDir), text)
		if isOutside(a) {
			problems = append(problems, outside(a))
			continue
		}
		if _, err := os.Lstat(s.at(filepath.Join(ProjectDir, a.Path))); errors.Is(err, fs.ErrNotExist) {
			warnings = append(warnings, sanitize.Line(a.Path)+": artifact: it is not there, so that this check leaves it out: build it before you bundle, or correct its path")
			continue
		}
		there = append(there, text)
	}
	s.Artifacts = there
	return problems, warnings
}

// checkTop checks the top file of the bundle, or that of the states on disk if there is
// no bundle because the tree has problems.
func (s step) checkTop(ctx context.Context, b *bundle.Bundle) (problems []error, warnings []string) {
	if b != nil {
		_, problems, warnings = preflight.Check(ctx, preflight.Of(b), preflight.Options{})
		return problems, warnings
	}
	root, err := os.OpenRoot(s.at(filepath.Join(ProjectDir, salt)))
	if err != nil {
		return nil, nil // the bundler reports it
	}
	defer root.Close()
	_, problems, warnings = preflight.Check(ctx, preflight.Of(states{root}), preflight.Options{})
	return problems, warnings
}

// states are the files of _salt on disk, as a bundle would have them.
type states struct{ root *os.Root }

// Items yields the files and directories.
func (s states) Items() iter.Seq[bundle.Item] {
	return func(yield func(bundle.Item) bool) {
		_ = fs.WalkDir(s.root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
			if err != nil || name == "." {
				return nil //nolint:nilerr // the bundler reports it
			}
			info, err := s.root.Stat(name) // through links, as OpenItem goes
			if err != nil {
				return nil //nolint:nilerr // as above
			}
			it := bundle.Item{Name: name, Mode: info.Mode()}
			if info.IsDir() {
				it.Name += "/"
			}
			if !yield(it) {
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

// OpenItem opens a file.
func (s states) OpenItem(name string) (io.ReadCloser, error) {
	switch info, err := s.root.Stat(name); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // opening a pipe would wait
		return nil, fmt.Errorf("%s: %w", name, bundle.ErrKind)
	}
	return s.root.Open(name)
}

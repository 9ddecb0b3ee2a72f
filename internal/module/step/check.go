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

// salt is the directory of a project whose content is at the root of its bundles.
const salt = "_salt"

// check says whether a project can be deployed: its tree can be bundled, and its top
// file is right in every deployment. The error has all that keeps it from that.
// Artifacts that are not built are worth a warning: a check may come before a build.
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

// problemsOf returns the problems of a tree, or the one error that it is.
func problemsOf(err error) []error {
	if problems, ok := err.(bundle.Problems); ok { //nolint:errorlint // one that is wrapped has a text of its own
		return problems.Unwrap()
	}
	return []error{err}
}

// sortArtifacts keeps the artifacts that can be bundled, and tells of the others: of
// those outside of the project problems, of those that are not there warnings.
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

// checkTop checks the top file of the bundle. If there is none, since the tree cannot be
// bundled, it looks at the states as they are.
func (s step) checkTop(ctx context.Context, b *bundle.Bundle) (problems []error, warnings []string) {
	if b != nil {
		_, problems, warnings = preflight.Check(ctx, preflight.Of(b), preflight.Options{})
		return problems, warnings
	}
	root, err := os.OpenRoot(s.at(filepath.Join(ProjectDir, salt)))
	if err != nil {
		return nil, nil // the bundler tells it
	}
	defer root.Close()
	_, problems, warnings = preflight.Check(ctx, preflight.Of(states{root}), preflight.Options{})
	return problems, warnings
}

// states are the content of _salt, as a bundle would have it.
type states struct{ root *os.Root }

// Items yields what is there.
func (s states) Items() iter.Seq[bundle.Item] {
	return func(yield func(bundle.Item) bool) {
		_ = fs.WalkDir(s.root.FS(), ".", func(name string, _ fs.DirEntry, err error) error {
			if err != nil || name == "." {
				return nil //nolint:nilerr // the bundler tells it
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

// Has tells whether there is a state or a directory.
func (s states) Has(name string) (dir, ok bool) {
	info, err := s.root.Stat(name)
	return err == nil && info.IsDir(), err == nil
}

// OpenItem opens a state.
func (s states) OpenItem(name string) (io.ReadCloser, error) {
	switch info, err := s.root.Stat(name); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // a pipe would be waited for
		return nil, fmt.Errorf("%s: %w", name, bundle.ErrKind)
	}
	return s.root.Open(name)
}

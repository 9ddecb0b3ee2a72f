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
	"strings"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/problem"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
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
	found, err := s.checkTop(ctx, b)
	if err != nil {
		return err
	}
	for _, f := range found {
		switch {
		case f.Severity == topfile.Problem:
			problems = append(problems, errors.New(f.Text))
		case f.Kind == topfile.KindNone && b == nil: // without states, there is nothing that it could name
		default:
			warnings = append(warnings, f.Text)
		}
	}
	return errors.Join(problem.Join(problems...), s.warn(warnings))
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
			warnings = append(warnings, plain.Line(a.Path)+": artifact: it is not there, so that this check leaves it out: build it before you bundle, or correct its path")
			continue
		}
		there = append(there, text)
	}
	s.Artifacts = there
	return problems, warnings
}

// checkTop checks the top file. It looks at all states if they cannot be bundled.
func (s step) checkTop(ctx context.Context, b *bundle.Bundle) ([]topfile.Finding, error) {
	root, err := os.OpenRoot(s.at(filepath.Join(ProjectDir, salt)))
	if err != nil {
		return nil, nil //nolint:nilerr // the bundler tells it
	}
	defer root.Close()
	result, err := topfile.Check(ctx, &states{root, b}, topfile.Options{Prefix: salt + "/"})
	if err != nil {
		return nil, err
	}
	return result.Findings, nil
}

// states are what is deployed, for topfile.Check.
type states struct {
	root   *os.Root       // _salt
	bundle *bundle.Bundle // nil if there is none
}

// Names yields the names in the bundle, or else those in _salt.
func (s *states) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		if s.bundle == nil {
			s.walk(yield)
			return
		}
		for it := range s.bundle.Items() {
			if !yield(slashed(it.Name, it.Mode)) {
				return
			}
		}
	}
}

func (s *states) walk(yield func(string) bool) {
	_ = fs.WalkDir(s.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil: // the bundler tells it
			return nil
		case name != "." && !yield(slashed(name, d.Type())):
			return fs.SkipAll
		}
		return nil
	})
}

// slashed returns a name with a slash at its end if it is that of a directory.
func slashed(name string, mode fs.FileMode) string {
	if name = strings.TrimSuffix(name, "/"); mode.IsDir() {
		name += "/"
	}
	return name
}

// Open opens a state. What is below _artifacts or _source is not looked into.
func (s *states) Open(name string) (io.ReadCloser, error) {
	switch info, err := s.root.Stat(name); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // a pipe would be waited for
		return nil, fmt.Errorf("%s: %w", name, bundle.ErrKind)
	}
	return s.root.Open(name)
}

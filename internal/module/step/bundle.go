package step

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// bundle writes the bundle, as the library makes it from the same tree.
func (s step) bundle(ctx context.Context) error {
	b, problems, warnings := s.tree(ctx)
	if b != nil {
		defer b.Close()
	}
	if err := errlist.Join(problems...); err != nil {
		return err
	}
	// The deployment is not known yet, so all findings are warnings.
	wrong, odd := s.checkTop(ctx, b)
	for _, err := range wrong {
		warnings = append(warnings, err.Error())
	}
	if err := s.warn(append(warnings, odd...)); err != nil {
		return err
	}
	return s.namedError(s.output(ctx, func(w io.Writer) error {
		_, err := b.WriteTo(w)
		return err
	}))
}

// tree makes the bundle, if that is possible. It returns every problem of the tree.
func (s step) tree(ctx context.Context) (b *bundle.Bundle, problems []error, warnings []string) {
	opts, problems, warnings := s.options()
	if opts.Source == nil && s.Source != "" { // it is unknown
		return nil, problems, warnings
	}
	b, err := bundle.New(ctx, opts)
	if err != nil {
		return nil, append(problems, s.named(err)...), warnings
	}
	for _, w := range b.Warnings() {
		warnings = append(warnings, s.namedText(w.String()))
	}
	return b, problems, warnings
}

// warn writes each warning to a line of a file: the engine does not repeat the output of
// a cached step.
func (s step) warn(warnings []string) error {
	var text strings.Builder
	for _, w := range warnings {
		fmt.Fprintln(&text, "warning: "+w)
	}
	if err := os.WriteFile(s.at(WarningsFile), []byte(text.String()), 0o644); err != nil {
		return fmt.Errorf("write warnings: %w", err)
	}
	return nil
}

// options returns the library's options for the container. They leave out artifacts with a
// problem; a check, which may come before a build, warns of those that do not exist.
func (s step) options() (opts bundle.Options, problems []error, warnings []string) {
	opts = bundle.Options{Dir: s.at(ProjectDir), Exclude: s.Exclude}
	for _, text := range s.Artifacts {
		a := bundle.ParseArtifact(opts.Dir, text)
		_, err := os.Lstat(filepath.Join(opts.Dir, a.Path))
		switch {
		case a.Path != "" && !filepath.IsLocal(a.Path):
			problems = append(problems, bundle.Problem{
				Path: a.Path, Err: errors.New("artifact: outside of the directory to bundle"),
				Hint: "what other steps built is added by with-artifact or with-artifacts",
			})
		case s.Do == Check && errors.Is(err, fs.ErrNotExist):
			warnings = append(warnings, sanitize.Line(a.Path)+": artifact: it is not there, so that this check leaves it out: build it before you bundle, or correct its path")
		default:
			opts.Artifacts = append(opts.Artifacts, a)
		}
	}
	if _, err := os.Stat(s.at(BuiltDir)); err == nil {
		opts.Artifacts = append(opts.Artifacts, bundle.Artifact{Path: s.at(BuiltDir), Name: "."})
	}
	commit, err := os.ReadFile(s.at(CommitFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		problems = append(problems, fmt.Errorf("read commit: %w", err))
	}
	// Without a file, commit is nil, and the bundle has no .gitcommit.
	opts.Files = map[string][]byte{bundle.GitCommitFile: commit}
	if opts.Source, err = bundle.ParseSource(s.Source); err != nil {
		problems = append(problems, err)
	} else if usesGit, _ := s.UsesGit(); usesGit {
		opts.Source = bundle.Archive(s.at(ArchiveFile))
	}
	return opts, problems, warnings
}

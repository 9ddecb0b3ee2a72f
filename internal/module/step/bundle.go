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

	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// bundle writes the bundle, as the library makes it from the same tree.
func (s step) bundle(ctx context.Context) error {
	opts, err := s.options()
	if err != nil {
		return err
	}
	b, err := bundle.New(ctx, opts)
	if err != nil {
		return err
	}
	defer b.Close()
	var warnings []string
	for _, w := range b.Warnings() {
		warnings = append(warnings, s.namedText(w.String()))
	}
	// The deployment is not known yet, so all findings are warnings.
	_, wrong, odd := preflight.Check(ctx, preflight.Of(b), preflight.Options{})
	for _, err := range wrong {
		warnings = append(warnings, err.Error())
	}
	if err := s.warn(append(warnings, odd...)); err != nil {
		return err
	}
	return s.output(ctx, func(w io.Writer) error {
		_, err := b.WriteTo(w)
		return err
	})
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

// isOutside reports whether an artifact is outside of the project directory.
func isOutside(a bundle.Artifact) bool { return a.Path != "" && !filepath.IsLocal(a.Path) }

func outside(a bundle.Artifact) bundle.Problem {
	return bundle.Problem{
		Path: a.Path, Err: errors.New("artifact: outside of the directory to bundle"),
		Hint: "what other steps built is added by with-artifact or with-artifacts",
	}
}

// options returns the library's options for the container.
func (s step) options() (bundle.Options, error) {
	opts := bundle.Options{Dir: s.at(ProjectDir), Exclude: s.Exclude}
	commit, err := os.ReadFile(s.at(CommitFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return opts, fmt.Errorf("read commit: %w", err)
	}
	// Without a file, commit is nil, and the bundle has no .gitcommit.
	opts.Files = map[string][]byte{bundle.GitCommitFile: commit}

	var problems bundle.Problems
	for _, text := range s.Artifacts {
		a := bundle.ParseArtifact(opts.Dir, text)
		if isOutside(a) {
			problems = append(problems, outside(a))
		}
		opts.Artifacts = append(opts.Artifacts, a)
	}
	if len(problems) > 0 {
		return opts, problems
	}
	if _, err := os.Stat(s.at(BuiltDir)); err == nil {
		opts.Artifacts = append(opts.Artifacts, bundle.Artifact{Path: s.at(BuiltDir), Name: "."})
	}
	git, err := s.UsesGit()
	switch {
	case err != nil:
		return opts, err
	case git:
		opts.Source = bundle.Archive(s.at(ArchiveFile))
	default:
		opts.Source, err = bundle.ParseSource(s.Source)
	}
	return opts, err
}

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

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// bundle writes the bundle that the library makes of the same tree.
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
	// A file: what is printed is lost once the step is in the engine's cache.
	var warnings strings.Builder
	for _, w := range b.Warnings() {
		fmt.Fprintln(&warnings, "warning: "+s.namedText(w.String()))
	}
	if err := os.WriteFile(s.at(WarningsFile), []byte(warnings.String()), 0o644); err != nil {
		return fmt.Errorf("write warnings: %w", err)
	}
	return s.output(func(w io.Writer) error {
		_, err := b.WriteTo(w)
		return err
	})
}

// options returns the library's options for what is in the container.
func (s step) options() (bundle.Options, error) {
	opts := bundle.Options{Dir: s.at(ProjectDir), Exclude: s.Exclude}
	commit, err := os.ReadFile(s.at(CommitFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return opts, fmt.Errorf("read commit: %w", err)
	}
	// Without a file it is nil, which says that there is no commit.
	opts.Files = map[string][]byte{bundle.GitCommitFile: commit}

	var problems bundle.Problems
	for _, text := range s.Artifacts {
		a := bundle.ParseArtifact(opts.Dir, text)
		if a.Path != "" && !filepath.IsLocal(a.Path) {
			problems = append(problems, bundle.Problem{
				Path: a.Path, Err: errors.New("artifact: outside of the directory to bundle"),
				Hint: "what other steps built is added by with-artifact or with-artifacts",
			})
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
		opts.Source = tarFile(s.at(ArchiveFile))
	default:
		opts.Source, err = bundle.ParseSource(s.Source)
	}
	return opts, err
}

package cli

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// project has the states of a new project.
//
//go:embed project
var project embed.FS

// Init writes the states of a first project into _salt of s.Dir, which must not be there
// yet.
func (w World) Init(ctx context.Context, s Settings) error { return w.Discreetly(ctx, s, World.init) }

func (w World) init(ctx context.Context, s Settings) error {
	if err := s.Contradictions(); err != nil {
		return err
	}
	dir := filepath.Join(s.Dir, bundle.SaltDir)
	files, err := fs.Sub(project, "project")
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); errors.Is(err, fs.ErrExist) {
		return &fault.Error{Err: fmt.Errorf("%s is there already, and is left as it is", dir), Help: "name another project directory with {dir}"}
	} else if err != nil {
		help := fault.Hint("name a directory that is there, with {dir}")
		if errors.Is(err, fs.ErrPermission) {
			help = "name a directory that you may write to, with {dir}"
		}
		if of, ok := errors.AsType[*fs.PathError](err); ok {
			err = of.Err // without the path
		}
		return &fault.Error{What: "make " + dir, Err: err, Help: help}
	}
	names, err := fs.Glob(files, "*")
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = os.CopyFS(dir, files)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir)) // the directory is new, so its files are ours
	}
	for _, name := range names {
		fmt.Fprintln(w.Stdout, filepath.Join(dir, name))
	}
	flags := " " + s.Flag("dry-run")
	if s.Dir != "" {
		flags += fmt.Sprintf(" %s=%s", s.Flag("dir"), sanitize.Shell(sanitize.Line(s.Dir)))
	}
	next := "spiro-deploy" + flags + " PROJECT prod"
	if s.Mage {
		next = "mage spiro:deploy PROJECT prod" + flags
	}
	fmt.Fprintf(w.Stderr, "Edit them, then see what would be deployed: %s\n", next)
	return nil
}

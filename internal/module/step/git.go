package step

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// notPacked are the parts of a .git that say nothing about commits.
var notPacked = []string{"/hooks", "/index", "/lfs", "/logs", "/modules", "/worktrees"}

// pack writes a .git as a tar: a function can export one file, but not a large
// directory.
func pack(ctx context.Context, dir string, w io.Writer) error {
	b, err := bundle.New(ctx, bundle.Options{
		Dir: dir, Exclude: notPacked, Scanners: []bundle.Scanner{packed},
		Files: map[string][]byte{bundle.GitCommitFile: nil},
	})
	if err != nil {
		return err
	}
	defer b.Close()
	_, err = b.WriteTo(w)
	return err
}

// packed scans the directories and regular files of a .git. It leaves out links, whose
// targets are elsewhere.
func packed(ctx context.Context, dir string, skip func(string) bool) iter.Seq2[bundle.Entry, error] {
	return func(yield func(bundle.Entry, error) bool) {
		for e, err := range bundle.Filesystem(ctx, dir, skip) {
			usable := e.Mode.IsDir() || e.Mode.IsRegular()
			if usable && !errors.Is(err, bundle.ErrName) && !yield(e, err) {
				return
			}
		}
	}
}

// Unpack makes dir a repository without a work tree, from the output of the step Pack.
func Unpack(packed, dir string) error {
	f, err := os.Open(packed)
	if err != nil {
		return fmt.Errorf("unpack repository: %w", err)
	}
	defer f.Close()
	git := filepath.Join(dir, ".git")
	if err := os.MkdirAll(git, 0o755); err != nil {
		return fmt.Errorf("unpack repository: %w", err)
	}
	root, err := os.OpenRoot(git) // so that no name can lead elsewhere
	if err != nil {
		return fmt.Errorf("unpack repository: %w", err)
	}
	defer root.Close()
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = unpackFile(root, h, tr)
		}
		if err != nil {
			return fmt.Errorf("unpack repository: %w", err)
		}
	}
}

func unpackFile(root *os.Root, h *tar.Header, content io.Reader) error {
	name := path.Clean(h.Name)
	if h.Typeflag == tar.TypeDir {
		return root.MkdirAll(name, 0o755)
	}
	f, err := root.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

// Commit returns the content of .gitcommit in a bundle of the repository dir, or "" if
// the bundle has none. The warnings tell why git failed.
func Commit(ctx context.Context, dir string) (string, []bundle.Warning, error) {
	b, err := bundle.New(ctx, bundle.Options{
		Dir:   dir,
		Files: map[string][]byte{"content": {}}, // .gitcommit alone would be no bundle
	})
	if err != nil {
		return "", nil, fmt.Errorf("read commit: %w", err)
	}
	defer b.Close()
	return b.Commit(), append(b.Warnings(), lacking(dir, b.Commit())...), nil
}

// Archive writes the archive of the repository dir for the library's source git to a
// file, since a step has no git. It returns the library's warnings.
func Archive(ctx context.Context, dir, file string) ([]bundle.Warning, error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("write archive: %w", err)
	}
	warnings, err := bundle.GitArchive(ctx, dir, f)
	return warnings, elsewhere(dir, errors.Join(err, f.Close()))
}

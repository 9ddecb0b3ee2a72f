package step

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// notPacked are the parts of a .git that say nothing of its commits.
var notPacked = []string{"hooks", "index", "lfs", "logs", "modules", "worktrees"}

// pack writes a .git as a tar: one file can be exported to a function, a
// directory cannot be where it is large.
func pack(dir string, w io.Writer) error {
	tw := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		switch {
		case err != nil:
			return err
		case slices.Contains(notPacked, name) && d.IsDir():
			return fs.SkipDir
		case name == ".", slices.Contains(notPacked, name):
			return nil
		}
		return packFile(tw, filepath.ToSlash(name), file, d)
	})
	return errors.Join(err, tw.Close())
}

// packFile packs a directory or regular file. Others are left out: what a link
// in a .git points to is not at hand.
func packFile(tw *tar.Writer, name, file string, d fs.DirEntry) error {
	switch {
	case d.IsDir():
		return tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755})
	case !d.Type().IsRegular():
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: info.Size()}); err != nil {
		return err
	}
	_, err = io.Copy(tw, f)
	return err
}

// Unpack makes dir a repository without a work tree, from what the step Pack
// has made.
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

// Commit returns what .gitcommit holds in a bundle of the repository dir, or "" if
// there is no commit to name; the warnings tell why git failed.
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

// Archive writes what the library's source git scans in the repository dir to
// a file, for a step that has no git. It returns what git warns of.
func Archive(ctx context.Context, dir, file string) ([]bundle.Warning, error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("write archive: %w", err)
	}
	warnings, err := bundle.GitArchive(ctx, dir, f)
	return warnings, elsewhere(dir, errors.Join(err, f.Close()))
}

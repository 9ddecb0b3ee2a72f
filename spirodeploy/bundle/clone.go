package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// clone makes git find a repository without the attributes that only this clone has.
type clone struct {
	env []string
	dir string // a temporary directory, or ""
}

// withoutInfo returns a clone for the repository of dir. No setting turns off
// info/attributes, so if the clone has such attributes, a temporary directory with
// everything else takes the place of .git. If git cannot find the repository, the next
// git command says why.
func withoutInfo(ctx context.Context, dir string) (c clone, err error) {
	out, err := gitOutput(ctx, dir, "rev-parse", "--git-common-dir", "--absolute-git-dir", "--show-toplevel")
	lines := strings.Split(out, "\n")
	if err != nil || len(lines) != 3 {
		return c, nil //nolint:nilerr // see above
	}
	common, own, top := in(dir, lines[0]), lines[1], lines[2]
	if common, err = filepath.Abs(common); err != nil {
		return c, err
	}
	attributes, err := os.ReadFile(filepath.Join(common, "info", "attributes"))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !attribute.Match(attributes) {
		return c, nil
	}
	if err == nil {
		err = c.make(common, own)
	}
	if err != nil {
		c.remove()
		return c, fmt.Errorf("leave out the attributes of this clone, in its info/attributes: %w", err)
	}
	c.env = []string{"GIT_DIR=" + c.dir, "GIT_WORK_TREE=" + top}
	return c, nil
}

// attribute matches the beginning of a line that is no comment.
var attribute = regexp.MustCompile(`(?m)^\s*[^\s#]`)

// make makes a directory of links to the files of the repository.
func (c *clone) make(common, own string) (err error) {
	if c.dir, err = os.MkdirTemp("", "spirodeploy-*.git"); err != nil {
		return err
	}
	if c.dir, err = filepath.Abs(c.dir); err != nil { // TMPDIR may be relative, and git runs elsewhere
		return err
	}
	// Git does not follow a link here.
	head, err := os.ReadFile(filepath.Join(own, "HEAD"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.dir, "HEAD"), head, 0o600); err != nil {
		return err
	}
	entries, err := os.ReadDir(common)
	for _, d := range entries {
		switch d.Name() {
		case "HEAD", "info", "index":
			continue
		}
		if err == nil {
			err = os.Symlink(filepath.Join(common, d.Name()), filepath.Join(c.dir, d.Name()))
		}
	}
	return err
}

// remove removes the directory.
func (c *clone) remove() {
	if c.dir != "" {
		_ = os.RemoveAll(c.dir) // it holds only links
	}
}

// Package release makes what is published of a version: the command for each
// platform, in an archive each, and the list of their digests. The same commit
// gives the same bytes on any machine with the same version of Go.
package release

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// A Platform is one that the Go command builds for.
type Platform struct{ OS, Arch string }

// Platforms are those that a release is built for.
var Platforms = []Platform{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// Options say what is released.
type Options struct {
	Dir       string     // the repository (default: the working directory)
	Version   string     // such as v0.1.0
	Output    string     // directory to make, in which all goes (default: dist, in Dir)
	Platforms []Platform // default: Platforms
	Out       io.Writer  // for what happens (default: nowhere)
}

// Run makes a release of the commit that is checked out. The output directory
// appears when all is in it, or not at all.
func Run(ctx context.Context, o Options) (err error) {
	o = o.withDefaults()
	if err := checkVersion(o.Version); err != nil {
		return err
	}
	if _, err := os.Lstat(o.Output); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("release: %s is there already: remove it, or choose another directory with -output", o.Output)
	}
	c, err := readCommit(ctx, o.Dir, o.Version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(o.Output), 0o755); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	temp, err := os.MkdirTemp(filepath.Dir(o.Output), "."+filepath.Base(o.Output)+".*.tmp")
	if err != nil {
		return fmt.Errorf("release: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	r := run{Options: o, commit: c, whole: filepath.Join(temp, "whole"), parts: filepath.Join(temp, "parts")}
	if err := r.make(ctx); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	if err := os.Rename(r.whole, o.Output); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	fmt.Fprintf(o.Out, "%s is in %s, built with %s\n", o.Version, o.Output, runtime.Version())
	return nil
}

func (o Options) withDefaults() Options {
	o.Dir = cmp.Or(o.Dir, ".")
	o.Output = filepath.Clean(cmp.Or(o.Output, filepath.Join(o.Dir, "dist")))
	if o.Platforms == nil {
		o.Platforms = Platforms
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	return o
}

// checkVersion takes what the Go command takes as the version of this module.
func checkVersion(version string) error {
	switch {
	case version == "":
		return errors.New("release: which version? say -version=v0.1.0")
	case !semver.IsValid(version), semver.Canonical(version) != version:
		return fmt.Errorf("release: %q is not a version: write vMAJOR.MINOR.PATCH, with -rc.1 or the like behind it for one before a release", version)
	case module.IsPseudoVersion(version):
		return fmt.Errorf("release: %s is the Go command's own name for a commit: choose a version", version)
	case module.CheckPathMajor(version, "") != nil:
		return fmt.Errorf("release: %s needs a module path that ends in /%s: this module's is for v0 and v1", version, semver.Major(version))
	}
	return nil
}

// commit is one that is released.
type commit struct {
	hash string
	time time.Time
}

// readCommit returns the commit that is checked out, if it is all that is there,
// and no other has the version already.
func readCommit(ctx context.Context, dir, version string) (commit, error) {
	changed, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=normal")
	if err != nil {
		return commit{}, fmt.Errorf("release: %w: a release is made in a clone", err)
	}
	if changed != "" {
		first, rest, _ := strings.Cut(changed, "\n")
		if rest != "" {
			first += ", …"
		}
		return commit{}, fmt.Errorf("release: the working tree is not what is committed (%s): commit, stash or remove that", strings.TrimSpace(first))
	}
	shown, err := git(ctx, dir, "show", "--no-patch", "--no-show-signature", "--format=%H %ct", "HEAD")
	if err != nil {
		return commit{}, fmt.Errorf("release: %w", err)
	}
	hash, seconds, _ := strings.Cut(shown, " ")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return commit{}, fmt.Errorf("release: time of commit %s: %w", hash, err)
	}
	tagged, err := git(ctx, dir, "for-each-ref", "--format=%(objectname) %(*objectname)", "refs/tags/"+version)
	if err != nil {
		return commit{}, fmt.Errorf("release: %w", err)
	}
	if tagged != "" && !strings.Contains(tagged, hash) { // the second is that of a tag with a message
		return commit{}, fmt.Errorf("release: the tag %s is not at the commit that is checked out: git checkout %s, or choose another version", version, version)
	}
	return commit{hash, time.Unix(unix, 0).UTC()}, nil
}

// git returns what git says, without white space at its end.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	var words bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &words
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(words.String()))
	}
	return strings.TrimRight(string(out), "\n"), nil
}

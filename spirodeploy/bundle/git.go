package bundle

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Describe is how the second line of .gitcommit describes the commit. What it
// says depends on the refs of the clone, so it is the one part of a bundle
// that two clones of a commit may not share.
type Describe string

// The ways to describe a commit.
const (
	DescribeAll  Describe = "all"  // git describe --all: by any ref; the default
	DescribeTags Describe = "tags" // git describe --tags: by tags only, empty where there are none
	DescribeOff  Describe = "off"  // leave the second line empty
)

// errNoGit means that there is no git binary.
var errNoGit = errors.New("no git binary was found")

// commit is what git says for .gitcommit.
type commit struct {
	content []byte // nil where there is nothing to say
	warning Warning
}

// readCommit asks git, which takes as long as walking a small tree: it may be
// called meanwhile. No repository and no commit are nothing to talk about; a
// repository that git refuses to read (in a container that runs as another user,
// say) is.
func (c *collector) readCommit() commit {
	if _, given := c.opts.Files[GitCommitFile]; given || c.excluded(GitCommitFile) {
		return commit{}
	}
	hash, err := c.git("rev-parse", "--verify", "--quiet", "HEAD")
	switch {
	case errors.Is(err, errNoGit):
		return commit{warning: Warning{Text: "no git binary was found: the bundle will have no " + GitCommitFile}}
	case err != nil:
		var exit *exec.ExitError
		noCommit := errors.As(err, &exit) && exit.ExitCode() == 1 // what --quiet says
		if noCommit || strings.Contains(err.Error(), "not a git repository (or any") {
			return commit{}
		}
		return commit{warning: Warning{Path: GitCommitFile, Text: "left out, since git failed: " + err.Error()}}
	}
	described := ""
	if describe := cmp.Or(c.opts.GitDescribe, DescribeAll); describe != DescribeOff {
		// Nothing to describe it by (an exit status other than 0) is an empty line.
		described, _ = c.git("describe", "--"+string(describe))
	}
	return commit{content: []byte(hash + "\n" + described)}
}

// addCommit adds .gitcommit, or the warning about it.
func (c *collector) addCommit(of commit) {
	if of.warning != (Warning{}) {
		c.warn(of.warning.Path, of.warning.Text)
	}
	if of.content != nil {
		c.bundle.commit = string(of.content)
		c.add(contentEntry(GitCommitFile, of.content))
	}
}

// git runs git in the project directory and returns its output without white
// space around it. The error's text is what git said, if it said anything.
func (c *collector) git(args ...string) (string, error) {
	cmd := gitCommand(c.ctx, c.dir, args...)
	var out, words bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &words
	if err := gitError(cmd.Run(), &words); err != nil {
		return "", err
	}
	return strings.TrimSpace(out.String()), nil
}

func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !slices.Contains(notForGit, name) {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	// What git has started may go on after git, and hold its output open.
	cmd.WaitDelay = time.Second
	// In the C locale, git's words can be told apart.
	cmd.Env = append(cmd.Env, "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	return cmd
}

// notForGit are the variables that git is not given. Those of git, which a hook
// that runs this has, would lead to another repository than the directory's;
// and filters that git runs have no business with the token. Whatever else is in
// the environment (PATH, HOME, proxies) belongs to git, not to the bundle.
var notForGit = []string{
	"SPIRO_TOKEN",
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX",
	"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES",
}

func gitError(err error, words *bytes.Buffer) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return errNoGit
	case errors.As(err, &exit) && words.Len() > 0:
		return errors.New(strings.TrimSpace(words.String()))
	}
	return err // an exit status, or a signal
}

// Git scans the files of the commit HEAD as "git archive" gives them, for
// [Options.Source]: what .gitattributes says of export-ignore and export-subst
// holds. Where the project directory is a directory inside of the repository,
// it scans that directory. Needs git, a repository and a commit.
func Git(ctx context.Context, dir string, skip func(name string) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := gitArchive(ctx, dir, skip, yield); err != nil {
			yield(Entry{}, fmt.Errorf("git archive HEAD: %w", err))
		}
	}
}

// gitArchive yields the entries as git writes them. Their content is there
// only while they are (hence size Unknown), so nothing is read twice.
func gitArchive(ctx context.Context, dir string, skip func(string) bool, yield func(Entry, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// These settings of a user or machine would change the bytes of files, or
	// take their x bit away.
	cmd := gitCommand(ctx, dir, "-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", "tar.umask=0022",
		"archive", "--format=tar", "HEAD")
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return gitError(err, &words)
	}
	done, readErr := yieldTar(out, dir, skip, yield)
	if !done && readErr == nil { // it was the consumer who stopped
		cancel()
		_ = cmd.Wait()
		return nil
	}
	// To the end of the padding: git must not die of a closed pipe, and is to
	// have said why it breaks off, if it does.
	_, err = io.Copy(io.Discard, out)
	if waitErr := gitError(cmd.Wait(), &words); waitErr != nil {
		return waitErr
	}
	return errors.Join(readErr, err)
}

// yieldTar yields the entries of a tar of what is in dir. It reports whether that
// came to the archive's end; without an error, it was the consumer who stopped.
func yieldTar(r io.Reader, dir string, skip func(string) bool, yield func(Entry, error) bool) (done bool, err error) {
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if h.Typeflag == tar.TypeXGlobalHeader || skip(h.Name) {
			continue
		}
		e := Entry{Name: h.Name, Mode: h.FileInfo().Mode(), Link: h.Linkname, Size: Unknown}
		e.Open = func() (io.ReadCloser, error) { return io.NopCloser(tr), nil }
		// What is to be omitted is known by its place, also where it was committed.
		e.path = filepath.Join(dir, filepath.FromSlash(h.Name))
		if !yield(e, nil) {
			return false, nil
		}
	}
}

package bundle

import (
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
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
	hash, err := gitOutput(c.ctx, c.dir, "rev-parse", "--verify", "--quiet", "HEAD")
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
		described, _ = gitOutput(c.ctx, c.dir, "describe", "--"+string(describe))
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
		c.addOr(contentEntry(GitCommitFile, of.content), nil)
	}
}

// gitOutput runs git in a directory and returns its output without white space
// around it. The error's text is what git said, if it said anything.
func gitOutput(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := gitCommand(ctx, dir, args...)
	var out words
	cmd.Stdout = &out
	err := runGit(cmd)
	return strings.TrimSpace(string(out)), err
}

// words keeps the beginning of what git says. The rest is let go: it may be without end.
type words []byte

const maxWords = 64 << 10

func (w *words) Write(p []byte) (int, error) {
	*w = append(*w, p[:min(len(p), maxWords-len(*w))]...)
	return len(p), nil
}

func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	withheld, _ := ctx.Value(withheldKey{}).([]string)
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !slices.Contains(notForGit, name) && !slices.Contains(withheld, name) {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	// What git has started may go on after git, and hold its output open.
	cmd.WaitDelay = time.Second
	cmd.Env = append(
		cmd.Env,
		"LC_ALL=C", // in which git's words can be told apart
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_NO_LAZY_FETCH=1",      // what a partial clone lacks is not fetched behind everybody's back
		"GIT_NO_REPLACE_OBJECTS=1", // a commit is what its hash says, not what a clone puts in its place
		"GIT_ATTR_NOSYSTEM=1",      // as for the settings of gitSettings
		"GIT_TERMINAL_PROMPT=0",    // there is nobody to answer
	)
	return cmd
}

// withheldKey is the key of a context for [Options.Withhold]: a [Scanner] is given
// a context, and no options.
type withheldKey struct{}

// notForGit are the variables that git is not given. Those of git, which a hook
// that runs this has, would lead to another repository than the directory's, or
// to other attributes than the commit's; and filters that git runs have no business
// with the token. Whatever else is in the environment (PATH, HOME, proxies) belongs
// to git, not to the bundle.
var notForGit = []string{
	"SPIRO_TOKEN",
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX",
	"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_ATTR_SOURCE", "GIT_LITERAL_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS",
}

// runGit runs git. The error's text is what git said, if it said anything.
func runGit(cmd *exec.Cmd) error {
	var said words
	cmd.Stderr = &said
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // git itself has ended well
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return errNoGit
	case errors.As(err, &exit) && len(said) > 0:
		return errors.New(strings.TrimSpace(string(said)))
	}
	return err // an exit status, or a signal
}

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

// Describe chooses the second line of .gitcommit, which describes the commit. The
// description depends on the refs of the clone: it is the one part of a bundle that may
// differ between two clones of a commit.
type Describe string

// The ways to describe a commit.
const (
	DescribeAll  Describe = "all"  // git describe --all: by any ref; the default
	DescribeTags Describe = "tags" // git describe --tags: by tags only, empty if there are none
	DescribeOff  Describe = "off"  // leave the second line empty
)

// errNoGit means that the machine has no git.
var errNoGit = errors.New("no git binary was found")

// readCommit returns the content of .gitcommit, or nil and maybe a warning why there is
// none. It asks git, which takes as long as walking a small tree, so it may run beside the
// walk. A directory without a repository or commit gets no warning; a repository that git
// refuses to read (one of another user, for example) does.
func (c *collector) readCommit() ([]byte, []Warning) {
	if content, given := c.opts.Files[GitCommitFile]; given || c.excluded(GitCommitFile) {
		return content, nil
	}
	hash, err := gitOutput(c.ctx, c.dir, "rev-parse", "--verify", "--quiet", "HEAD")
	switch {
	case errors.Is(err, errNoGit):
		return nil, []Warning{{Text: "no git binary was found: the bundle will have no " + GitCommitFile}}
	case err != nil:
		var exit *exec.ExitError
		noCommit := errors.As(err, &exit) && exit.ExitCode() == 1 // because of --quiet
		if noCommit || strings.Contains(err.Error(), "not a git repository (or any") {
			return nil, nil
		}
		return nil, []Warning{{Path: GitCommitFile, Text: "left out, since git failed: " + strings.Join(strings.Fields(err.Error()), " ")}}
	}
	described := ""
	if describe := cmp.Or(c.opts.GitDescribe, DescribeAll); describe != DescribeOff {
		// Git fails if nothing describes the commit. The line is then empty.
		described, _ = gitOutput(c.ctx, c.dir, "describe", "--"+string(describe))
	}
	return []byte(hash + "\n" + described), nil
}

// gitOutput runs git in a directory and returns its output without surrounding white
// space. The error has git's own words, if there are any.
func gitOutput(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := gitCommand(ctx, dir, args...)
	var out words
	cmd.Stdout = &out
	err := runGit(cmd)
	return strings.TrimSpace(string(out)), err
}

// words keeps the beginning of git's output, which may be endless.
type words []byte

const maxWords = 64 << 10

func (w *words) Write(p []byte) (int, error) {
	*w = append(*w, p[:min(len(p), maxWords-len(*w))]...)
	return len(p), nil
}

func gitCommand(ctx context.Context, dir string, args ...string) *exec.Cmd {
	// Git would take a directory with the files of a bare repository for one. Whoever can
	// write to the project could so put another commit, and settings that run programs, in
	// the place of the repository above.
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.bareRepository=explicit"}, args...)...)
	cmd.Dir = dir
	withheld, _ := ctx.Value(withheldKey{}).([]string)
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if !slices.Contains(notForGit, name) && !slices.Contains(withheld, name) {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	// A process that git has started may outlive git, and hold its output open.
	cmd.WaitDelay = time.Second
	cmd.Env = append(
		cmd.Env,
		"LC_ALL=C", // for words that readCommit knows
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_NO_LAZY_FETCH=1",      // a partial clone must not fetch what it lacks
		"GIT_NO_REPLACE_OBJECTS=1", // a clone must not put another commit in its place
		"GIT_ATTR_NOSYSTEM=1",      // as gitSettings
		"GIT_TERMINAL_PROMPT=0",    // nobody would answer
	)
	return cmd
}

// withheldKey is the context key of [Options.Withhold]: a [Scanner] gets a context,
// but no options.
type withheldKey struct{}

// notForGit are variables that git does not get. Git's own, which a hook has, would
// lead to another repository than the directory's, or to other attributes than the
// commit's; and the filters that git runs must not see the token. The other variables
// (PATH, HOME, proxies) concern git, not the bundle.
var notForGit = []string{
	"SPIRO_TOKEN",
	"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX",
	"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_ATTR_SOURCE", "GIT_LITERAL_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS",
}

// errBare is what git says of safe.bareRepository, which gitCommand sets.
var errBare = errors.New("the directory has the files of a bare repository, which are not read: take a clone with a working tree")

// runGit runs git. The error has git's own words, if there are any.
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
	case errors.As(err, &exit) && strings.Contains(string(said), "safe.bareRepository"):
		return errBare
	case errors.As(err, &exit) && len(said) > 0:
		return errors.New(strings.TrimSpace(string(said)))
	}
	return err // an exit status, or a signal
}

package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/internal/tempfile"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// New walks the tree that opts describe. The error is [Problems], with every problem
// of the tree, or the context's.
func New(ctx context.Context, opts Options) (*Bundle, error) {
	ctx = context.WithValue(ctx, withheldKey{}, opts.Withhold)
	dir := in(opts.Dir, ".")
	source := &archived{dir: dir}
	ctx = context.WithValue(ctx, archivedKey{}, source)
	c := &collector{ctx: ctx, archived: source, opts: opts, dir: dir, bundle: &Bundle{path: dir, modTime: opts.ModTime, want: opts.Digest}, matched: make([]atomic.Bool, len(opts.Exclude))}
	if c.check() {
		c.collect()
		c.finish()
	}
	err := ctx.Err()
	if err == nil && len(c.problems) > 0 {
		err = c.problems
	}
	if err != nil {
		_ = c.bundle.Close() // the reason is already an error
		return nil, err
	}
	return c.bundle, nil
}

// collector gathers a bundle's entries and problems.
type collector struct {
	ctx      context.Context
	opts     Options
	dir      string
	bundle   *Bundle
	archived *archived     // the commit in the source, if Git has scanned it
	omit     []string      // absolute paths
	near     string        // a nearby directory with states, if this one has none
	matched  []atomic.Bool // for each of opts.Exclude, whether it matched anything
	problems Problems
}

func (c *collector) problem(path string, err error, hint fault.Hint) {
	c.problems = append(c.problems, Problem{Path: path, Err: err, Hint: hint})
}

func (c *collector) warn(path, text string) {
	c.bundle.warnings = append(c.bundle.warnings, Warning{Path: path, Text: text})
}

// check checks the options themselves. It reports whether a walk makes sense: in a
// wrong directory, or without a pattern, it would find false problems.
func (c *collector) check() (walk bool) {
	if info, err := os.Stat(c.dir); err != nil {
		c.problem(c.dir, fmt.Errorf("project directory: %w", reason(err)), "name another one with {dir}")
	} else if !info.IsDir() {
		c.problem(c.dir, errors.New("project directory: is a file"), "name its directory with {dir}")
	}
	for _, pattern := range c.opts.Exclude {
		if strings.TrimSpace(pattern) == "" || !doublestar.ValidatePattern(pattern) {
			c.problem("", fmt.Errorf("exclude %q: not a valid pattern", pattern), escapeHint(pattern))
		}
	}
	walk = len(c.problems) == 0
	if d := c.opts.GitDescribe; !slices.Contains([]Describe{"", DescribeAll, DescribeTags, DescribeOff}, d) {
		c.problem("", fmt.Errorf("git describe %q: not one of all, tags, off", d), "")
	}
	c.checkArtifacts()
	if p, ok := errors.AsType[Problem](CheckDigest(c.bundle.want)); ok {
		c.problem(p.Path, p.Err, p.Hint)
	}
	switch {
	case c.bundle.modTime.IsZero():
		c.bundle.modTime = time.Unix(0, 0)
	case c.bundle.modTime.Unix() < 0 || c.bundle.modTime.Unix() > maxOctal:
		c.problem("", fmt.Errorf("modification time %s: outside of what a tar header holds, 1970 to 2242",
			c.bundle.modTime.UTC().Format(time.RFC3339)), "")
	}
	for _, p := range c.opts.Omit {
		// A link to the file would dangle, so it is left out, too.
		c.omit = append(c.omit, absolute(p), inDir(p))
	}
	return walk
}

// escapeHint returns what helps against a pattern that is not valid.
func escapeHint(pattern string) fault.Hint {
	before, backslash := strings.CutSuffix(pattern, `\`)
	braces := strings.ContainsAny(pattern, "{}")
	switch {
	case strings.TrimSpace(pattern) == "":
		return "is a variable not set?"
	case backslash && doublestar.ValidatePattern(before):
		return "write / between directories"
	case braces && strings.Contains(pattern, "["):
		return fault.Hint(fault.Literal(`write \[ and \{ for a [ and a { that stand for themselves`))
	case braces:
		return fault.Hint(fault.Literal(`write \{ for a { that stands for itself`))
	}
	return `write \[ for a [ that stands for itself`
}

// checkArtifacts gives each artifact its name, and drops those without a valid one.
func (c *collector) checkArtifacts() {
	var named []Artifact // the caller's stay as they are
	names := map[string]bool{}
	for _, a := range c.opts.Artifacts {
		name, err := a.name(c.dir)
		gitErr := checkFile(filepath.ToSlash(filepath.Clean(a.Path)))
		if err == nil && gitErr == nil {
			gitErr = checkGit(name)
		}
		switch {
		case gitErr != nil:
			c.problem(a.Path, fmt.Errorf("artifact: %w", gitErr), "")
		case err != nil:
			c.problem(a.Path, err, "say where it goes: {artifact=}NAME=PATH")
		case names[name]:
			c.problem(a.Path, fmt.Errorf("artifact %s: %w: another artifact has the name too", name, ErrDuplicate), "give one of them another name: {artifact=}NAME=PATH")
		default:
			names[name] = true
			named = append(named, Artifact{Path: a.Path, Name: name})
		}
	}
	c.opts.Artifacts = named
}

// name returns where the artifact goes below _artifacts.
func (a Artifact) name(dir string) (string, error) {
	if a.Path == "" {
		return "", errors.New("artifact without a path")
	}
	name := a.Name
	if name == "" {
		rel, ok := inside(dir, in(dir, a.Path))
		if !ok {
			return "", fmt.Errorf("artifact: %w: outside of the project directory", ErrName)
		}
		name = filepath.ToSlash(rel)
	}
	name = path.Clean(name)
	if err := checkName(name); err != nil && name != "." {
		return "", fmt.Errorf("artifact %q: %w", name, err)
	}
	return name, nil
}

// collect runs all scanners.
func (c *collector) collect() {
	var commit []byte
	var warnings []Warning
	var git sync.WaitGroup
	git.Go(func() { commit, warnings = c.readCommit() })
	c.salt()
	for _, a := range c.opts.Artifacts {
		top := in(c.dir, a.Path)
		info, err := os.Stat(top)
		if err != nil {
			c.problem(a.Path, fmt.Errorf("artifact: %w", reason(err)), absentHint(a.Path, err))
			continue
		}
		rel := c.resolved(top)
		if err := checkFile(rel); err != nil {
			c.problem(a.Path, fmt.Errorf("artifact: %w to %s: %w", ErrLink, printable(rel), err), "")
			continue
		}
		prefix := path.Join(ArtifactsDir, a.Name)
		if info.IsDir() {
			c.addOr(Entry{Name: prefix, Mode: fs.ModeDir}, nil)
			c.scan(prefix, Filesystem, top)
			continue
		}
		c.addOr(fileEntry(prefix, top, info))
	}
	if c.opts.Source != nil {
		c.scan(SourceDir, c.opts.Source, c.dir)
	}
	for _, s := range c.opts.Scanners {
		c.scan("", s, c.dir)
	}
	for name, content := range c.opts.Files {
		if name != GitCommitFile {
			c.addOr(contentEntry(name, content), nil)
		}
	}
	git.Wait()
	c.bundle.warnings = append(c.bundle.warnings, warnings...)
	c.checkCommit(string(commit))
	if commit != nil {
		c.bundle.commit = string(commit)
		c.addOr(contentEntry(GitCommitFile, commit), nil)
	}
}

// checkCommit checks that the source is of the commit that .gitcommit names: another one may
// have been checked out meanwhile.
func (c *collector) checkCommit(content string) {
	hash, _, found := strings.Cut(content, "\n")
	_, given := c.opts.Files[GitCommitFile]
	if now := c.archived.commit; found && !given && now != "" && now != hash {
		c.problem(SourceDir, fmt.Errorf("%w: it is of the commit %s, and %s names %s", ErrChanged, printable(now), GitCommitFile, printable(hash)), "")
	}
}

// absentHint returns what helps if an artifact cannot be found.
func absentHint(path string, err error) fault.Hint {
	switch absent := errors.Is(err, fs.ErrNotExist); {
	case absent && strings.HasPrefix(path, "="):
		return "is a variable not set?"
	case absent && strings.ContainsAny(path, "*?["):
		return "{artifact} takes a path, not a pattern: name the directory, or each file"
	case absent && strings.Contains(path, ","):
		return "build it first, or name each path by itself with {artifact}"
	}
	return "build it first, or correct its path"
}

// salt adds the project's states. A project without states is not an error: artifacts
// may be all that a deployment needs.
func (c *collector) salt() {
	top := in(c.dir, SaltDir)
	info, err := os.Stat(top)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(top); err == nil {
			c.problem(SaltDir, fmt.Errorf("%w dangles: its target does not exist", ErrLink), "make it lead to the directory with the states, or remove it")
			return
		}
		c.near = nearby(c.dir)
	case err != nil:
		c.problem(SaltDir, reason(err), "")
	case !info.IsDir():
		c.problem(SaltDir, errors.New("is a file"), "make it a directory with the states in it")
	default:
		if err := c.checkSalt(top); err != nil {
			c.problem(SaltDir, err, "put the states there, or name the project that has them with {dir}")
			return
		}
		c.scan("", Filesystem, top)
	}
}

// checkSalt returns an error if _salt is a link that leads out of the project and its repository,
// or into .git. Nobody names _salt: whoever can write to the project could make it lead to the
// secrets of the machine that bundles it.
func (c *collector) checkSalt(top string) error {
	target, err := os.Readlink(top)
	if err != nil {
		return nil //nolint:nilerr // it is no link
	}
	if _, ok := inside(repository(absolute(c.dir)), absolute(top)); !ok {
		return fmt.Errorf("%w to %s leaves the project directory and its git repository", ErrLink, printable(target))
	}
	if err := checkFile(c.resolved(top)); err != nil {
		return fmt.Errorf("%w to %s: %w", ErrLink, printable(target), err)
	}
	return nil
}

// repository returns the nearest directory at or above dir that has a .git, or dir.
func repository(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// resolved returns the slash path of a file relative to the project directory, with all links
// resolved.
func (c *collector) resolved(file string) string {
	rel, err := filepath.Rel(absolute(c.dir), absolute(file))
	if err != nil { // it is on another drive
		rel = absolute(file)
	}
	return filepath.ToSlash(rel)
}

// scan adds what a scanner yields for a directory, below prefix.
func (c *collector) scan(prefix string, s Scanner, dir string) {
	skip := func(name string) bool {
		name = strings.TrimSuffix(name, "/")
		if checkGit(name) != nil || prefix == SourceDir && isBelow(name, SaltDir) {
			return true
		}
		return c.excluded(path.Join(prefix, name))
	}
	for e, err := range s(c.ctx, dir, skip) {
		switch {
		case c.ctx.Err() != nil:
			return
		case !e.asked && e.Name != "" && skip(e.Name), c.omitted(&e.origin):
			continue
		}
		// Not path.Join, which would clean a bad name before checkName sees it.
		if prefix != "" && e.Name != "" {
			e.Name = prefix + "/" + e.Name
		}
		c.addOr(e, err)
	}
}

// omitted reports whether the options omit a file.
func (c *collector) omitted(from *origin) bool {
	base := filepath.Base(from.path)
	return slices.ContainsFunc(c.omit, func(o string) bool {
		return filepath.Base(o) == base && (absolute(from.file()) == o || inDir(from.file()) == o)
	})
}

// isBelow reports whether an element of a slash path has the given name.
func isBelow(name, element string) bool {
	return strings.Contains(name, element) && slices.Contains(strings.Split(name, "/"), element)
}

// excluded reports whether a pattern matches a name or a directory above it.
func (c *collector) excluded(name string) bool {
	for i, pattern := range c.opts.Exclude {
		pattern = strings.TrimSuffix(pattern, "/")
		anchored := strings.Contains(pattern, "/")
		pattern = strings.TrimPrefix(pattern, "/")
		for n := name; n != "." && n != "/" && n != ""; n = path.Dir(n) {
			subject := n
			if !anchored {
				subject = path.Base(n)
			}
			if doublestar.MatchUnvalidated(pattern, subject) {
				c.matched[i].Store(true)
				return true
			}
		}
	}
	return false
}

// addOr adds an entry, or what went wrong with it.
func (c *collector) addOr(e Entry, err error) {
	if err == nil {
		err = c.add(e)
	} else if e.path != "" {
		err = reason(err)
	}
	if err == nil {
		return
	}
	w := Warning{}
	switch {
	case errors.As(err, &w):
		c.warn(c.bundle.shown(e.Name, e.file()), w.Text)
	case errors.Is(err, syscall.EMFILE):
		c.problem(c.bundle.shown(e.Name, e.file()), err, "allow this process more open files (ulimit -n): a walk needs some for each level of directories")
	case !spoolFailed(err):
		c.problem(c.bundle.shown(e.Name, e.file()), err, excludeHint(e.Name))
	case !slices.ContainsFunc(c.problems, func(p Problem) bool { return spoolFailed(p.Err) }): // each further entry would say so again
		c.problem("", err, tempfile.Hint)
	}
}

func excludeHint(name string) fault.Hint {
	name = strings.TrimSuffix(name, "/")
	if name == "" || plainName(name) != name {
		return "" // no pattern matches it: the scanner has to change
	}
	return fault.Hint("to leave it out: {exclude=}" + fault.Literal(sanitize.Shell(excludePattern(name))))
}

// excludePattern returns a pattern that matches a name in the bundle. It matches other
// names, too, if the name has characters that cannot be shown or typed, or a comma or a
// double quote: mage splits a list of patterns at commas, and the Dagger command reads it as
// CSV, so that no escape is right for both.
func excludePattern(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r == utf8.RuneError || !unicode.IsPrint(r) || r == ',' || r == '"':
			b.WriteByte('?')
			continue
		case strings.ContainsRune(`\*?[]{}`, r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	if !strings.Contains(name, "/") {
		return "/" + b.String() // else it would be for every depth
	}
	return b.String()
}

// add adds an entry, or returns why the bundle cannot have it.
func (c *collector) add(e Entry) (err error) {
	name := strings.TrimSuffix(e.Name, "/")
	if !e.asked && c.excluded(name) {
		return nil
	}
	if err := checkName(name); err != nil {
		return err
	}
	if err := checkGit(name); err != nil { // one of Options.Files: scanners do not get here with it
		return err
	}
	it := item{Item: Item{Name: name, Mode: canonicalMode(e.Mode)}, origin: e.origin}
	switch e.Mode.Type() {
	case 0:
		it.Size, it.origin, err = c.content(e)
	case fs.ModeDir:
		it.Name += "/"
		it.path = "" // nobody needs it
	case fs.ModeSymlink:
		it.Link = e.Link
	default:
		err = fmt.Errorf("is a %s: %w", kindOf(e.Mode), ErrKind)
	}
	if err != nil {
		return err
	}
	if it.source != nil {
		c.bundle.own(it.source.owner)
	}
	c.bundle.items.add(it)
	return nil
}

// content returns the size of a file and the origin of its content. It spools the
// content if the size is unknown.
func (c *collector) content(e Entry) (size int64, from origin, err error) {
	from, open := origin{path: e.file()}, e.Open
	switch {
	case open == nil && e.origin == (origin{}):
		return 0, from, errors.New("scanner: a file with nothing to open")
	case open == nil && e.Size >= 0:
		return e.Size, e.origin, nil
	case e.Size >= 0:
		from.source = &source{open: open}
		return e.Size, from, nil
	case open == nil:
		open = func() (io.ReadCloser, error) { return os.Open(e.file()) }
	}
	r, err := open()
	if err != nil {
		return 0, from, reason(err)
	}
	defer r.Close()
	kept, err := c.bundle.spool(r)
	if err != nil {
		return 0, from, err
	}
	from.source = &source{at: kept}
	return kept.Size(), from, nil
}

// finish sorts the entries as the format asks, and checks them against each other.
func (c *collector) finish() {
	b := c.bundle
	b.items.sort()
	b.items.addParents()
	b.tar, b.index = filled{b}, &b.items
	for i := range b.items.len() {
		c.checkItem(i)
	}
	b.warnings = append(b.warnings, b.items.lookalikes()...)
	for i, pattern := range c.opts.Exclude {
		if !c.matched[i].Load() {
			text := "nothing matches the exclude pattern " + printable(pattern) + ": patterns match names in the bundle, in which the content of " + SaltDir + " is at the root"
			b.warnings = append(b.warnings, Warning{Text: text, Minor: true})
		}
	}
	content := b.items.len() > 1 || b.items.len() == 1 && b.items.name(0) != GitCommitFile
	if !content && len(c.problems) == 0 {
		c.problems = append(c.problems, c.nothing())
	}
	if content && c.near != "" {
		c.warn("", "there is no "+SaltDir+" in "+printable(c.dir)+", but there is one in "+printable(c.near)+": is that the project directory?")
	}
	for i := range b.items.len() {
		if i%stride == 0 {
			b.starts = append(b.starts, b.size)
		}
		it := b.items.at(i)
		if it.Size > maxSize-b.size {
			c.problem(b.shown(it.Name, it.file()), fmt.Errorf("has %d bytes, with which the bundle has more than an exbibyte", it.Size), excludeHint(it.Name))
			break
		}
		it.content = b.size + headerSize(it.Item)
		b.size = it.end()
		if it.sequential() {
			b.sequential = append(b.sequential, it)
		}
	}
	b.size += trailerSize
	slices.SortStableFunc(c.problems, func(x, y Problem) int { return strings.Compare(x.Path, y.Path) })
}

// nothing says why the bundle is empty.
func (c *collector) nothing() Problem {
	for i := range c.matched {
		if c.matched[i].Load() {
			return Problem{Err: fmt.Errorf("%w: the exclude patterns leave nothing of %s", ErrEmpty, printable(c.dir)), Hint: "correct {exclude}"}
		}
	}
	return Problem{
		Err:  fmt.Errorf("%w: %s has no %s directory with anything in it, and there are no artifacts and no source", ErrEmpty, printable(c.dir), SaltDir),
		Hint: c.whereToLook(),
	}
}

// maxSize is the size of the largest bundle, in bytes. A file with holes can be as large as a
// number, and two of them larger.
const maxSize = 1 << 60

// checkItem checks an entry against the others.
func (c *collector) checkItem(i int) {
	it := c.bundle.items.at(i)
	fail := func(err error, hint fault.Hint) { c.problem(c.bundle.shown(it.Name, it.file()), err, hint) }
	if i > 0 && c.bundle.items.name(i-1) == it.Name {
		before := c.bundle.items.at(i - 1)
		other := c.bundle.shown(it.Name, before.file())
		fail(fmt.Errorf("%w: %s is made from %s too", ErrDuplicate, printable(it.Name), printable(other)), "leave one of them out")
	}
	switch it.Mode.Type() {
	case fs.ModeDir:
		if file := c.bundle.items.index(strings.TrimSuffix(it.Name, "/")); file >= 0 {
			it = c.bundle.items.at(file)
			fail(fmt.Errorf("%w: %s is both a file and a directory", ErrDuplicate, printable(it.Name)), "leave one of them out")
		}
	case fs.ModeSymlink:
		if err := checkLink(c.bundle.index, it.Name, it.Link); err != nil {
			fail(err, excludeHint(it.Name))
		}
	}
}

// shown returns the name of an entry for a person who works in the project directory.
func (b *Bundle) shown(name, file string) string {
	if file == "" {
		return strings.TrimSuffix(name, "/")
	}
	if rel, err := filepath.Rel(b.path, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

// checkGit returns an error if an element of a slash path is .git.
func checkGit(name string) error {
	if isBelow(name, ".git") {
		return errors.New(".git is never a part of a bundle")
	}
	return nil
}

// checkFile is checkGit for the path of a file: .GIT leads to .git on macOS and Windows.
func checkFile(file string) error { return checkGit(strings.ToLower(file)) }

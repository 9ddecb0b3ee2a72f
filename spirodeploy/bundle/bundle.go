package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/opencontainers/go-digest"
)

// Directories and files with a meaning.
const (
	SaltDir       = "_salt"      // in a project: the states
	ArtifactsDir  = "_artifacts" // in a bundle: what the build made
	SourceDir     = "_source"    // in a bundle: the project's source
	GitCommitFile = ".gitcommit" // in a bundle: the commit it was made from
)

// Options say what goes into a bundle. The zero value bundles _salt and
// .gitcommit of the working directory.
type Options struct {
	// Dir is the project directory; default ".".
	Dir string
	// Artifacts are put below _artifacts; default none.
	Artifacts []Artifact
	// Source scans what goes below _source: [Filesystem], [Git] or a scanner
	// of your own; default nil, no source.
	Source Scanner
	// Scanners scan what else goes to the root of the bundle; default none.
	Scanners []Scanner
	// Files are made up: name in the bundle → content; default none. What is
	// here for .gitcommit replaces what git says; nil is then no such file.
	Files map[string][]byte
	// Exclude leaves out what matches one of these patterns, and everything
	// below it. A pattern with a slash in it is for the whole name in the
	// bundle ("_source/web/node_modules", "_source/**/*.log"), one without
	// is for the last element, at any depth ("*.pyc"; "/x" is x at the root only). ?, *, [a-z], {a,b} and
	// ** are as in github.com/bmatcuk/doublestar; default none.
	Exclude []string
	// Omit names files on disk that are left out wherever they are found: what
	// the run itself reads and writes; default none.
	Omit []string
	// GitDescribe chooses the second line of .gitcommit; default [DescribeAll].
	GitDescribe Describe
	// Withhold names environment variables that git, and the filters that it runs,
	// are not given: those that hold a token. SPIRO_TOKEN is withheld always.
	Withhold []string
	// ModTime is the modification time of every entry, cut to whole seconds;
	// default 1970-01-01T00:00:00Z. It must lie between that and the year 2242.
	ModTime time.Time
	// Digest is the digest that the bundle must have: readers of any other fail
	// with [ErrDigest] before the last byte. Default: whatever it has.
	Digest digest.Digest
}

// An Artifact is a file or directory that the build made.
type Artifact struct {
	// Path is where it is, relative to the project directory or absolute. A
	// symbolic link that it names itself is followed.
	Path string
	// Name is where it goes below _artifacts; default: Path, which must then
	// lie inside the project directory.
	Name string
}

// ParseArtifact reads "PATH" or "NAME=PATH". An existing path, relative to dir,
// with = in it is a PATH.
func ParseArtifact(dir, s string) Artifact {
	name, p, ok := strings.Cut(s, "=")
	if !ok {
		return Artifact{Path: s}
	}
	if _, err := os.Lstat(in(dir, s)); err == nil {
		return Artifact{Path: s}
	}
	return Artifact{Name: name, Path: p}
}

// A Bundle is a walked tree: what will be in the tar, and how to read it. It
// may be used by several goroutines. Close it after use.
type Bundle struct {
	dir      string // of the project
	items    []item // sorted by name
	size     int64
	modTime  time.Time
	warnings []Warning
	commit   string // content of .gitcommit
	spool    spool
	roots    []*root
	// sequential are the indexes of the items that can only be read from their beginning.
	sequential []int

	want   digest.Digest
	mu     sync.Mutex
	digest digest.Digest // once known
}

// item is an Entry in its final place.
// There may be very many: what few of them need is behind a pointer.
type item struct {
	header
	path    string  // the file it comes from, if it is one; also what errors call it
	source  *source // where its content comes from, if not from that file
	root    *root   // the directory below which that file is opened
	was     identity
	offset  int64 // of its header in the tar
	content int64 // offset of its content
}

// source is content that is no file's of the tree.
type source struct {
	open func() (io.ReadCloser, error) // from its beginning
	at   io.ReaderAt                   // anywhere, where it is not nil
}

// New walks the tree that opts describe. Its error is [Problems], all of them,
// or the context's.
func New(ctx context.Context, opts Options) (*Bundle, error) {
	ctx = context.WithValue(ctx, withheldKey{}, opts.Withhold)
	c := &collector{ctx: ctx, opts: opts, dir: in(opts.Dir, "."), matched: make([]atomic.Bool, len(opts.Exclude))}
	c.bundle = &Bundle{dir: c.dir, modTime: opts.ModTime, want: opts.Digest}
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

// Size returns the size of the tar in bytes.
func (b *Bundle) Size() int64 { return b.size }

// Items yields what is in the bundle, in the order of the tar.
func (b *Bundle) Items() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for _, it := range b.items {
			if !yield(Item{Name: it.name, Mode: it.mode, Size: it.size, Link: it.link}) {
				return
			}
		}
	}
}

// Commit returns the content of .gitcommit, which names the commit that the
// bundle is made from; empty if there is none.
func (b *Bundle) Commit() string { return b.commit }

// Len returns the number of entries.
func (b *Bundle) Len() int { return len(b.items) }

// Warnings returns what a person should know about the tree.
func (b *Bundle) Warnings() []Warning { return slices.Clone(b.warnings) }

// Close removes temporary files, and closes the directories that were walked. A
// bundle that is being read must be closed last.
func (b *Bundle) Close() error {
	for _, r := range b.roots {
		_ = r.Close() // nothing was written to it
	}
	return b.spool.Close()
}

// keep keeps a directory open until the bundle is closed.
func (b *Bundle) keep(r *root) {
	if last := len(b.roots) - 1; r == nil || last >= 0 && b.roots[last] == r || slices.Contains(b.roots, r) {
		return
	}
	b.roots = append(b.roots, r)
}

// collector gathers a bundle's entries, and all that is wrong with them.
type collector struct {
	ctx      context.Context
	opts     Options
	dir      string
	bundle   *Bundle
	omit     []string        // absolute paths
	dirs     map[string]bool // every directory, without the slash
	near     string          // where the states are, if they are not here
	matched  []atomic.Bool   // for each pattern of opts.Exclude, whether it matched anything
	problems Problems
}

func (c *collector) problem(path string, err error, hint string) {
	c.problems = append(c.problems, Problem{Path: path, Err: err, Hint: hint})
}

func (c *collector) warn(path, text string) {
	c.bundle.warnings = append(c.bundle.warnings, Warning{Path: path, Text: text})
}

// check finds what is wrong with the options themselves. It reports whether a
// walk makes sense: that of a wrong directory, or with a pattern missing, would
// only bring up problems that are none.
func (c *collector) check() (walk bool) {
	if info, err := os.Stat(c.dir); err != nil {
		c.problem(c.dir, fmt.Errorf("project directory: %w", reason(err)), "name another one with --dir")
	} else if !info.IsDir() {
		c.problem(c.dir, errors.New("project directory: is a file"), "name its directory with --dir")
	}
	c.checkPatterns()
	walk = len(c.problems) == 0
	switch d := c.opts.GitDescribe; d {
	case "", DescribeAll, DescribeTags, DescribeOff:
	default:
		c.problem("", fmt.Errorf("git describe %q: not one of all, tags, off", d), "")
	}
	c.checkArtifacts()
	if want := c.bundle.want; want != "" && (want.Validate() != nil || want.Algorithm() != digest.SHA256) {
		c.problem("", fmt.Errorf("digest %q: not a SHA-256 digest", want), `it looks like "sha256:" and 64 hexadecimal digits`)
	}
	switch {
	case c.bundle.modTime.IsZero():
		c.bundle.modTime = time.Unix(0, 0)
	case c.bundle.modTime.Unix() < 0 || c.bundle.modTime.Unix() > maxOctal:
		c.problem("", fmt.Errorf("modification time %s: outside of what a tar header holds, 1970 to 2242",
			c.bundle.modTime.UTC().Format(time.RFC3339)), "")
	}
	for _, p := range c.opts.Omit {
		// A link to it goes with it: it would dangle.
		c.omit = append(c.omit, absolute(p), inDir(p))
	}
	return walk
}

func (c *collector) checkPatterns() {
	for _, pattern := range c.opts.Exclude {
		if pattern == "" || !doublestar.ValidatePattern(pattern) {
			c.problem("", fmt.Errorf("exclude %q: not a valid pattern", pattern), `write \[ for a [ that stands for itself`)
		}
	}
}

// checkArtifacts gives each artifact its name, and leaves out those that cannot
// have one.
func (c *collector) checkArtifacts() {
	var named []Artifact // the caller's stay as they are
	names := map[string]bool{}
	for _, a := range c.opts.Artifacts {
		name, err := a.name(c.dir)
		switch {
		case isBelow(filepath.ToSlash(filepath.Clean(a.Path)), ".git"):
			c.problem(a.Path, errors.New("artifact: .git is never a part of a bundle"), "")
		case err != nil:
			c.problem(a.Path, err, "say where it goes: --artifact NAME=PATH")
		case names[name]:
			c.problem(a.Path, fmt.Errorf("artifact %s: %w: another artifact has the name too", name, ErrDuplicate), "give one of them another name: --artifact NAME=PATH")
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
	if name == "." {
		return name, nil
	}
	if err := checkName(name); err != nil {
		return "", fmt.Errorf("artifact %q: %w", name, err)
	}
	return name, nil
}

// collect runs all scanners.
func (c *collector) collect() {
	asked := make(chan commit, 1)
	go func() { asked <- c.readCommit() }()
	defer func() { c.addCommit(<-asked) }()
	c.salt()
	for _, a := range c.opts.Artifacts {
		top := in(c.dir, a.Path)
		info, err := os.Stat(top)
		if err != nil {
			c.problem(a.Path, fmt.Errorf("artifact: %w", reason(err)), "build it first, or correct its path")
			continue
		}
		prefix := path.Join(ArtifactsDir, a.Name)
		if info.IsDir() {
			c.add(Entry{Name: prefix, Mode: fs.ModeDir})
			c.scan(prefix, below(top))
			continue
		}
		c.addOr(fileEntry(prefix, top, info))
	}
	if c.opts.Source != nil {
		c.scan(SourceDir, c.opts.Source)
	}
	for _, s := range c.opts.Scanners {
		c.scan("", s)
	}
	for name, content := range c.opts.Files {
		if name == GitCommitFile && content == nil {
			continue
		}
		if name == GitCommitFile {
			c.bundle.commit = string(content)
		}
		c.add(contentEntry(name, content))
	}
}

// salt adds the project's states. That there are none is no error: artifacts
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
		c.scan("", below(top))
	}
}

// scan adds what a scanner yields below prefix.
func (c *collector) scan(prefix string, s Scanner) {
	skip := func(name string) bool {
		name = strings.TrimSuffix(name, "/")
		if isBelow(name, ".git") || prefix == SourceDir && isBelow(name, SaltDir) {
			return true
		}
		return c.excluded(path.Join(prefix, name))
	}
	for e, err := range s(c.ctx, c.dir, skip) {
		switch {
		case c.ctx.Err() != nil:
			return
		case !e.asked && e.Name != "" && skip(e.Name), c.omitted(e.path):
			continue
		}
		// Not path.Join: it would clean a bad name before it is seen.
		if prefix != "" && e.Name != "" {
			e.Name = prefix + "/" + e.Name
		}
		c.addOr(e, err)
	}
}

// omitted reports whether a file is one that the run itself reads or writes.
func (c *collector) omitted(file string) bool {
	base := filepath.Base(file)
	for _, o := range c.omit {
		if filepath.Base(o) == base && file != "" && (absolute(file) == o || inDir(file) == o) {
			return true
		}
	}
	return false
}

// isBelow reports whether an element of a slash path has the given name.
func isBelow(name, element string) bool {
	if !strings.Contains(name, element) {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == element {
			return true
		}
	}
	return false
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
	if w := (Warning{}); errors.As(err, &w) {
		c.warn(c.shown(e), w.Text)
		return
	}
	if err != nil {
		if e.path != "" {
			err = reason(err)
		}
		c.problem(c.shown(e), err, excludeHint(e.Name))
		return
	}
	c.add(e)
}

func excludeHint(name string) string {
	if name == "" || plainName(name) != name {
		return "" // no pattern matches that; its maker must mend it
	}
	return fmt.Sprintf("to leave it out: --exclude %s", shellQuote(excludePattern(name)))
}

// excludePattern returns a pattern that matches a name in the bundle: that name
// only, but where one of its characters cannot be shown or typed.
func excludePattern(name string) string {
	var b strings.Builder
	for _, r := range name {
		switch {
		case r == utf8.RuneError || !unicode.IsPrint(r):
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

// add takes an entry in: its name is whole, and its kind is one of ours.
func (c *collector) add(e Entry) {
	e.Name = strings.TrimSuffix(e.Name, "/")
	if !e.asked && c.excluded(e.Name) {
		return
	}
	if err := checkName(e.Name); err != nil {
		c.problem(c.shown(e), err, excludeHint(e.Name))
		return
	}
	it := item{path: e.path, root: e.root, was: e.was}
	it.name, it.mode = e.Name, canonicalMode(e.Mode)
	switch e.Mode.Type() {
	case 0:
		err := c.addContent(&it, e)
		if errors.Is(err, errSpool) {
			c.noSpool(err)
			return
		}
		if err != nil {
			c.problem(c.shown(e), err, excludeHint(e.Name))
			return
		}
	case fs.ModeDir:
		it.name += "/"
	case fs.ModeSymlink:
		it.link = e.Link
	default:
		c.problem(c.shown(e), fmt.Errorf("is a %s: %w", kindOf(e.Mode), ErrKind), excludeHint(e.Name))
		return
	}
	c.bundle.items = append(c.bundle.items, it)
	c.bundle.keep(e.root)
}

// noSpool says that there is no room for what has to be kept. Each further entry
// would say so again.
func (c *collector) noSpool(err error) {
	if !slices.ContainsFunc(c.problems, func(p Problem) bool { return errors.Is(p.Err, errSpool) }) {
		c.problem("", err, spoolHint)
	}
}

// addContent settles where a file's content comes from and its size, by reading
// it where that is the only way.
func (c *collector) addContent(it *item, e Entry) error {
	it.size = e.Size
	if e.Open != nil || e.at != nil {
		it.source = &source{open: e.Open, at: e.at}
	} else if e.path == "" {
		return errors.New("scanner: a file with nothing to open")
	}
	if it.size >= 0 {
		return nil
	}
	open := e.Open
	if open == nil {
		open = func() (io.ReadCloser, error) { return os.Open(e.path) }
	}
	r, err := open()
	if err != nil {
		return reason(err)
	}
	defer r.Close()
	it.source = new(source)
	it.size, it.source.at, err = c.bundle.spool.add(r)
	return err
}

// finish brings the entries into the order of the format and checks them against each other.
func (c *collector) finish() {
	b := c.bundle
	c.addParents()
	slices.SortFunc(b.items, func(x, y item) int {
		if order := strings.Compare(x.name, y.name); order != 0 {
			return order
		}
		return strings.Compare(x.path, y.path) // which is an error, and that is to be the same each time
	})
	// A directory may be found by several scanners.
	b.items = slices.CompactFunc(b.items, func(x, y item) bool { return x.name == y.name && x.mode.IsDir() })

	t := tree{len(b.items), func(i int) header { return b.items[i].header }}
	for i := range b.items {
		c.checkItem(t, i)
	}
	b.warnings = append(b.warnings, t.lookalikes()...)
	for i, pattern := range c.opts.Exclude {
		if !c.matched[i].Load() {
			c.warn("", "nothing matches the exclude pattern "+printable(pattern)+": patterns are about names in the bundle, in which the content of "+SaltDir+" is at the root")
		}
	}
	content := slices.ContainsFunc(b.items, func(it item) bool { return it.name != GitCommitFile })
	if !content && len(c.problems) == 0 {
		c.problem("", fmt.Errorf("%w: %s has no %s directory with anything in it, and there are no artifacts and no source", ErrEmpty, printable(c.dir), SaltDir),
			c.whereToLook())
	}
	if content && c.near != "" {
		c.warn("", "there is no "+SaltDir+" in "+printable(c.dir)+": "+c.whereToLook())
	}

	for i := range b.items {
		it := &b.items[i]
		it.offset = b.size
		it.content = it.offset + headerSize(it.header)
		b.size = it.content + padded(it.size)
		if it.sequential() {
			b.sequential = append(b.sequential, i)
		}
	}
	b.size += trailerSize
	slices.SortStableFunc(c.problems, func(x, y Problem) int { return strings.Compare(x.Path, y.Path) })
}

// addParents adds the directories above every entry.
func (c *collector) addParents() {
	b := c.bundle
	c.dirs = map[string]bool{}
	for _, it := range b.items {
		if it.mode.IsDir() {
			c.dirs[strings.TrimSuffix(it.name, "/")] = true
		}
	}
	for i := range b.items {
		for dir := path.Dir(strings.TrimSuffix(b.items[i].name, "/")); dir != "." && !c.dirs[dir]; dir = path.Dir(dir) {
			c.dirs[dir] = true
			b.items = append(b.items, item{header: header{name: dir + "/", mode: canonicalMode(fs.ModeDir)}})
		}
	}
}

// checkItem checks an entry against the others.
func (c *collector) checkItem(t tree, i int) {
	it := &c.bundle.items[i]
	shown := func() string { return it.shown(c.dir) }
	if i > 0 && c.bundle.items[i-1].name == it.name {
		c.problem(shown(), fmt.Errorf("%w: %s is made from %s too", ErrDuplicate, printable(it.name), printable(c.bundle.items[i-1].shown(c.dir))), "leave one of them out")
	}
	if !it.mode.IsDir() && c.dirs[it.name] {
		c.problem(shown(), fmt.Errorf("%w: %s is both a file and a directory", ErrDuplicate, printable(it.name)), "leave one of them out")
	}
	if it.mode&fs.ModeSymlink == 0 {
		return
	}
	if err := checkLink(t, it.name, it.link); err != nil {
		c.problem(shown(), err, excludeHint(it.name))
	}
}

func (c *collector) shown(e Entry) string { return shown(c.dir, e.Name, e.path) }

func (it *item) shown(dir string) string {
	return shown(dir, strings.TrimSuffix(it.name, "/"), it.path)
}

// shown returns what a person who works in dir knows an entry by.
func shown(dir, name, file string) string {
	if file == "" {
		return name
	}
	if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

// in returns a path that may be relative to dir.
func in(dir, p string) string {
	if dir == "" {
		dir = "."
	}
	if filepath.IsAbs(p) {
		return filepath.Clean(p)
	}
	return filepath.Join(dir, p)
}

// inside returns the path of a file relative to a directory that it lies in.
// Links in it are resolved only where nothing else shows that it lies there: a
// file that is a link keeps its own name.
func inside(dir, file string) (rel string, ok bool) {
	for _, resolve := range []func(string) string{filepath.Clean, absolute} {
		rel, err := filepath.Rel(resolve(dir), filepath.Join(resolve(filepath.Dir(file)), filepath.Base(file)))
		if err == nil && filepath.IsLocal(rel) {
			return rel, true
		}
	}
	return "", false
}

// inDir returns the absolute path of a file, of which only the directory is
// resolved: if it is a link, it stays one.
func inDir(p string) string { return filepath.Join(absolute(filepath.Dir(p)), filepath.Base(p)) }

// absolute returns the one path of a file that may not exist yet.
func absolute(p string) string {
	abs, err := filepath.Abs(p)
	if err != nil {
		return filepath.Clean(p)
	}
	if resolved, err := filepath.EvalSymlinks(abs); err == nil {
		return resolved
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		return filepath.Join(dir, filepath.Base(abs))
	}
	return abs
}

// reason strips the path that an error of package os repeats. What somebody has
// wrapped is left as it is: it may be about another file.
func reason(err error) error {
	if pe, ok := err.(*fs.PathError); ok { //nolint:errorlint // see above
		return pe.Err
	}
	return err
}

// shellQuote quotes a word for a POSIX shell, where that is needed.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./+:,@%", r)
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

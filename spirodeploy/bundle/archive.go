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
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/tempfile"
)

// Git scans the files of the commit HEAD as "git archive" gives them, for
// [Options.Source]. If the project directory is inside a repository, Git scans that
// directory only. It needs git, a repository and a commit.
//
// The commit's own .gitattributes apply: export-ignore, export-subst, and filters,
// which Git LFS needs. Attributes and settings of the user, the machine and the clone
// do not, if they would change the bytes.
//
// Git yields a [Warning] for each file that depends on the clone or is incomplete: a
// placeholder for refs in a file with export-subst, a submodule, a pointer of Git LFS.
func Git(ctx context.Context, dir string, skip func(name string) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		file, err := tempfile.New()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		a := &archive{dir: dir, tar: file.File, owner: file, skip: skip, yield: yield}
		if err = a.make(ctx); err != nil {
			// Git's words do not name the temporary file.
			err = cmp.Or(file.Full(), fmt.Errorf("git archive HEAD: %w", err))
		}
		if !a.yielded {
			_ = file.Close() // nobody reads it
		}
		if err != nil {
			yield(Entry{}, err)
			return
		}
		if archived, ok := ctx.Value(archivedKey{}).(*archived); ok && archived.dir == dir {
			archived.commit = a.commit
		}
		for _, w := range a.told {
			if a.stopped || !yield(Entry{Name: w.Path, origin: a.origin(w.Path, nil)}, w) {
				return
			}
		}
	}
}

// archived is the commit that [Git] has scanned in a directory.
type archived struct{ dir, commit string }

// archivedKey is the context key of an *archived, which Git fills in: a [Scanner] returns
// nothing else.
type archivedKey struct{}

// GitArchive writes the tar that [Git] scans to a file, for [Archive] on a machine
// without git. It returns the warnings of Git.
func GitArchive(ctx context.Context, dir string, file *os.File) ([]Warning, error) {
	a := &archive{dir: cmp.Or(dir, "."), tar: file, skip: func(string) bool { return false }, yield: func(Entry, error) bool { return true }}
	if err := a.make(ctx); err != nil {
		return nil, fmt.Errorf("git archive HEAD: %w", err)
	}
	return a.told, nil
}

// Archive returns a scanner of a tar from [GitArchive], for [Options.Source].
func Archive(path string) Scanner {
	return func(_ context.Context, _ string, skip func(string) bool) iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) {
			file, err := os.Open(path)
			if err == nil {
				a := &archive{tar: file, owner: file, skip: skip, yield: yield}
				if err = a.read(); !a.yielded {
					_ = file.Close() // nobody reads it
				}
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("read archive: %w", err))
			}
		}
	}
}

// gitSettings override settings of a user, machine or clone that would change the bytes
// of files, or take away their x bit.
var gitSettings = []string{
	"-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", "tar.umask=0022",
	"-c", "core.attributesFile=/dev/null",
	"-c", "core.abbrev=40", // the default depends on the number of objects in a clone
	"-c", "core.bigFileThreshold=512m", // git converts no larger files
	"-c", "i18n.logOutputEncoding=UTF-8", "-c", "i18n.commitEncoding=UTF-8",
	"-c", "mailmap.file=", "-c", "mailmap.blob=",
}

// archive reads a tar that "git archive" has written.
type archive struct {
	dir   string // the directory of the files; "" if that is on another machine
	tar   *os.File
	owner io.Closer
	skip  func(string) bool
	yield func(Entry, error) bool

	commit   string          // that the tar names
	yielded  bool            // whether it has yielded an entry
	stopped  bool            // whether the consumer has stopped
	folders  map[string]bool // directories that are empty so far
	pointers []string        // files that are pointers of Git LFS
	subst    bool            // whether a .gitattributes has export-subst
	told     []Warning
}

// make runs git, which writes the tar, and reads the tar.
func (a *archive) make(ctx context.Context) error {
	clone, err := withoutInfo(ctx, a.dir)
	if err != nil {
		return err
	}
	defer clone.remove()
	cmd := gitCommand(ctx, a.dir, append(slices.Clone(gitSettings), "archive", "--format=tar", "HEAD")...)
	cmd.Env = append(cmd.Env, clone.env...)
	cmd.Stdout = a.tar
	if err := runGit(cmd); err != nil {
		return err
	}
	if err := a.read(); err != nil || a.stopped {
		return err
	}
	a.told = a.warnings(ctx)
	return nil
}

// files calls f with each header and content of the tar, until f returns false.
func (a *archive) files(f func(h *tar.Header, content *io.SectionReader) bool) error {
	if _, err := a.tar.Seek(0, io.SeekStart); err != nil {
		return err
	}
	for tr := tar.NewReader(a.tar); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		// The tar reader does not read ahead, so the content begins here.
		at, err := a.tar.Seek(0, io.SeekCurrent)
		if err != nil || !f(h, io.NewSectionReader(a.tar, at, h.Size)) {
			return err
		}
	}
}

// read yields the entries of the tar.
func (a *archive) read() error {
	a.folders = map[string]bool{}
	var failed error
	err := a.files(func(h *tar.Header, content *io.SectionReader) bool {
		if h.Typeflag == tar.TypeXGlobalHeader {
			a.commit = h.PAXRecords["comment"] // git-archive(1)
		}
		delete(a.folders, parent(strings.TrimSuffix(h.Name, "/")))
		if h.Typeflag == tar.TypeXGlobalHeader || a.skip(h.Name) {
			return true
		}
		if failed = a.look(h, content); failed != nil {
			return false
		}
		a.yielded = true
		a.stopped = !a.yield(Entry{Name: h.Name, Mode: h.FileInfo().Mode(), Link: h.Linkname, Size: h.Size, origin: a.origin(h.Name, content)}, nil)
		return !a.stopped
	})
	return cmp.Or(failed, err)
}

// origin returns the origin of an entry. Its path serves [Options.Omit]: a file to omit
// may be committed.
func (a *archive) origin(name string, content io.ReaderAt) origin {
	o := origin{source: &source{owner: a.owner, at: content}}
	if a.dir != "" {
		o.path = filepath.Join(a.dir, filepath.FromSlash(name))
	}
	return o
}

// look collects what deserves a warning.
func (a *archive) look(h *tar.Header, content io.Reader) error {
	name := strings.TrimSuffix(h.Name, "/")
	const small = 64 << 10
	isAttributes := name == ".gitattributes" || strings.HasSuffix(name, "/.gitattributes")
	switch {
	case h.Typeflag == tar.TypeDir:
		a.folders[name] = true
		return nil
	case a.dir == "", h.Size > maxPointer && (!isAttributes || h.Size >= small):
		return nil
	}
	text, err := io.ReadAll(content)
	if bytes.HasPrefix(text, []byte("version https://git-lfs.github.com/spec/v1\n")) && h.Size <= maxPointer {
		a.pointers = append(a.pointers, name)
	}
	a.subst = a.subst || isAttributes && bytes.Contains(text, []byte("export-subst"))
	return err
}

// maxPointer is the largest size of a pointer of Git LFS, in bytes
// (docs/spec.md of github.com/git-lfs/git-lfs).
const maxPointer = 1023

// warnings returns warnings about the files of the tar.
func (a *archive) warnings(ctx context.Context) (all []Warning) {
	add := func(names []string, text string) {
		for _, name := range names {
			if !a.skip(name) {
				all = append(all, Warning{Path: name, Text: text})
			}
		}
	}
	add(a.pointers, "is a pointer of Git LFS, not the file: run git lfs install and git lfs pull first")
	add(a.submodules(ctx), "is a submodule, which is an empty directory in git archive: add its files as an artifact")
	add(a.depending(ctx), "has a placeholder of export-subst for refs, notes, signatures, a mailmap or the time since the commit: two bundles of one commit may differ")
	return all
}

// submodules returns the empty directories that are submodules.
func (a *archive) submodules(ctx context.Context) []string {
	if len(a.folders) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(a.folders))
	args := append([]string{"--literal-pathspecs", "ls-tree", "-z", "HEAD", "--"}, names[:min(len(names), maxListed)]...)
	var found []string
	for _, line := range gitList(ctx, a.dir, args...) {
		if about, name, ok := strings.Cut(line, "\t"); ok && strings.HasPrefix(about, "160000 ") {
			found = append(found, name)
		}
	}
	return found
}

// maxListed is the number of names in one question to git.
const maxListed = 100

// clonePlaceholders match the placeholders of export-subst that depend on the clone, or on
// the time of day (gitattributes(5), git-log(1) "pretty formats").
const clonePlaceholders = `\$Format:[^$]*%[-+ ]?(d|D|S|N|G[A-Z?]|\(describe|\(decorate|[ac][NELrh])`

// depending returns the files in which git has replaced such placeholders.
func (a *archive) depending(ctx context.Context) []string {
	if !a.subst {
		return nil
	}
	names := gitList(ctx, a.dir, "grep", "-z", "-l", "-E", "-e", clonePlaceholders, "HEAD")
	names = names[:min(len(names), maxListed)]
	var depending []string
	_ = a.files(func(h *tar.Header, content *io.SectionReader) bool { // an error costs a warning only
		if h.Typeflag == tar.TypeReg && slices.Contains(names, "HEAD:"+h.Name) {
			text, err := io.ReadAll(io.LimitReader(content, maxPatches))
			if err == nil && !bytes.Contains(text, []byte("$Format:")) {
				depending = append(depending, h.Name)
			}
		}
		return len(names) > 0
	})
	return depending
}

// gitList returns the items that git lists with a NUL behind each.
func gitList(ctx context.Context, dir string, args ...string) []string {
	out, err := gitOutput(ctx, dir, args...)
	if err != nil || out == "" {
		return nil // git grep fails if nothing matches
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}

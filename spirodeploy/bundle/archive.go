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
// [Options.Source]. What the commit's own .gitattributes say holds: export-ignore,
// export-subst, and filters, as Git LFS needs it. The attributes and settings of
// the user, the machine and the clone that would change the bytes do not. If the
// project directory is a directory inside of the repository, Git scans that
// directory. It needs git, a repository and a commit.
//
// A [Warning] that it yields as an error names what makes the bytes depend on the
// clone, or the bundle incomplete: placeholders for refs in a file with export-subst,
// submodules, and pointers of Git LFS.
func Git(ctx context.Context, dir string, skip func(name string) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		file, err := tempfile.New()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		a := &archive{dir: dir, tar: file.File, owner: file, skip: skip, yield: yield}
		err = a.make(ctx)
		if !a.yielded {
			_ = file.Close() // nobody reads it
		}
		if err != nil {
			yield(Entry{}, fmt.Errorf("git archive HEAD: %w", err))
			return
		}
		for _, w := range a.told {
			if a.stopped || !yield(Entry{Name: w.Path, from: a.origin(w.Path, nil)}, w) {
				return
			}
		}
	}
}

// GitArchive writes the tar that [Git] scans to a file, so that [Archive] can scan it
// on a machine without git. It returns what Git warns of.
func GitArchive(ctx context.Context, dir string, file *os.File) ([]Warning, error) {
	a := &archive{dir: cmp.Or(dir, "."), tar: file, skip: func(string) bool { return false }, yield: func(Entry, error) bool { return true }}
	if err := a.make(ctx); err != nil {
		return nil, fmt.Errorf("git archive HEAD: %w", err)
	}
	return a.told, nil
}

// Archive returns a scanner of a tar that [GitArchive] has written, for
// [Options.Source].
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

// gitSettings are settings of a user, machine or clone that would change the bytes
// of files, or take their x bit away.
var gitSettings = []string{
	"-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", "tar.umask=0022",
	"-c", "core.attributesFile=/dev/null",
	"-c", "core.abbrev=40", // otherwise by how many objects a clone has
	"-c", "core.bigFileThreshold=512m", // larger files are not converted
	"-c", "i18n.logOutputEncoding=UTF-8", "-c", "i18n.commitEncoding=UTF-8",
	"-c", "mailmap.file=", "-c", "mailmap.blob=",
}

// archive reads what "git archive" has written of what is in dir.
type archive struct {
	dir   string // "" if the archive is of another machine
	tar   *os.File
	owner io.Closer
	skip  func(string) bool
	yield func(Entry, error) bool

	yielded  bool            // whether there was an entry
	stopped  bool            // whether the consumer has stopped
	folders  map[string]bool // without anything in them yet
	pointers []string        // files of Git LFS whose content is elsewhere
	subst    bool            // whether a .gitattributes has export-subst
	told     []Warning
}

// make lets git write the tar, and reads it.
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

// files calls f with each header of the tar and where the content begins, until it
// returns false.
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
		// The reader takes whole blocks only, so this is where the content begins.
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
		delete(a.folders, parent(strings.TrimSuffix(h.Name, "/")))
		if h.Typeflag == tar.TypeXGlobalHeader || a.skip(h.Name) {
			return true
		}
		if failed = a.look(h, content); failed != nil {
			return false
		}
		a.yielded = true
		a.stopped = !a.yield(Entry{Name: h.Name, Mode: h.FileInfo().Mode(), Link: h.Linkname, Size: h.Size, from: a.origin(h.Name, content)}, nil)
		return !a.stopped
	})
	return cmp.Or(failed, err)
}

// origin is that of an entry. What is to be omitted is known by its place, also if it
// was committed.
func (a *archive) origin(name string, content io.ReaderAt) *origin {
	o := &origin{owner: a.owner, at: content}
	if a.dir != "" {
		o.path = filepath.Join(a.dir, filepath.FromSlash(name))
	}
	return o
}

// look looks at an entry for what deserves a warning.
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

// maxPointer is how large a pointer of Git LFS may be, in bytes
// (docs/spec.md of github.com/git-lfs/git-lfs).
const maxPointer = 1023

// warnings returns what there is to say of what was read.
func (a *archive) warnings(ctx context.Context) (all []Warning) {
	add := func(names []string, text string) {
		for _, name := range names {
			if !a.skip(name) {
				all = append(all, Warning{name, text})
			}
		}
	}
	add(a.pointers, "is a pointer of Git LFS, not the file: run git lfs install and git lfs pull before")
	add(a.submodules(ctx), "is a submodule, of which git archive gives an empty directory: add what is needed of it as an artifact")
	add(a.depending(ctx), "has a placeholder for export-subst that stands for refs, notes, signatures or a mailmap: two clones of one commit may give other bytes")
	return all
}

// submodules returns which of the empty directories are submodules.
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

// maxListed is how many names git is asked about at once.
const maxListed = 100

// clonePlaceholders match what git puts in for export-subst that is not the same in
// every clone (gitattributes(5), git-log(1) "pretty formats").
const clonePlaceholders = `\$Format:[^$]*%[-+ ]?(d|D|S|N|G[A-Z?]|\(describe|\(decorate|[ac][NEL])`

// depending returns the files with such placeholders that git has put something in for.
func (a *archive) depending(ctx context.Context) []string {
	if !a.subst {
		return nil
	}
	found := gitList(ctx, a.dir, "grep", "-z", "-l", "-E", "-e", clonePlaceholders, "HEAD")
	var names []string
	for _, name := range found {
		names = append(names, strings.TrimPrefix(name, "HEAD:"))
	}
	names = names[:min(len(names), maxListed)]
	var depending []string
	_ = a.files(func(h *tar.Header, content *io.SectionReader) bool { // it is only for warnings
		if h.Typeflag == tar.TypeReg && slices.Contains(names, h.Name) {
			text, err := io.ReadAll(io.LimitReader(content, maxPatches))
			if err == nil && !bytes.Contains(text, []byte("$Format:")) {
				depending = append(depending, h.Name)
			}
		}
		return len(names) > 0
	})
	return depending
}

// gitList returns what git lists with a NUL behind each.
func gitList(ctx context.Context, dir string, args ...string) []string {
	out, err := gitOutput(ctx, dir, args...)
	if err != nil || out == "" {
		return nil // git grep: nothing was found
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}

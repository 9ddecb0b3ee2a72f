package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Git scans the files of the commit HEAD as "git archive" gives them, for
// [Options.Source]. What the commit's own .gitattributes say holds: export-ignore,
// export-subst, and filters, as Git LFS needs it. The attributes and settings of
// the user, the machine and the clone that would change the bytes do not. Where the
// project directory is a directory inside of the repository, it scans that
// directory. Needs git, a repository and a commit.
//
// A [Warning] that it yields as an error names what makes the bytes depend on the
// clone, or the bundle incomplete: placeholders for refs in a file with export-subst,
// submodules, and pointers of Git LFS.
func Git(ctx context.Context, dir string, skip func(name string) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := gitArchive(ctx, dir, skip, yield); err != nil {
			yield(Entry{}, fmt.Errorf("git archive HEAD: %w", err))
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

// gitArchive yields the entries as git writes them. Their content is there
// only while they are (hence size Unknown), so nothing is read twice.
func gitArchive(ctx context.Context, dir string, skip func(string) bool, yield func(Entry, error) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	clone, err := withoutInfo(ctx, dir)
	if err != nil {
		return err
	}
	defer clone.remove()
	cmd := gitCommand(ctx, dir, append(slices.Clone(gitSettings), "archive", "--format=tar", "HEAD")...)
	cmd.Env = append(cmd.Env, clone.env...)
	var said words
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return gitError(err, &said)
	}
	a := &archive{dir: dir, skip: skip, yield: yield}
	done, readErr := a.read(out)
	if !done && readErr == nil { // it was the consumer who stopped
		cancel()
		_ = cmd.Wait()
		return nil
	}
	// To the end of the padding: git must not die of a closed pipe, and is to
	// have said why it breaks off, if it does. Wait ends this when git has ended,
	// also where what git has started goes on.
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if err := gitError(cmd.Wait(), &said); err != nil {
		return err
	}
	if readErr == nil {
		a.warn(ctx)
	}
	return readErr
}

// archive reads what "git archive" writes of what is in dir.
type archive struct {
	dir   string
	skip  func(string) bool
	yield func(Entry, error) bool

	folders  map[string]bool // without anything in them yet
	pointers []string        // files of Git LFS whose content is elsewhere
	subst    bool            // whether a .gitattributes has export-subst
}

// read yields the entries of a tar. It reports whether that came to the archive's
// end; without an error, it was the consumer who stopped.
func (a *archive) read(r io.Reader) (done bool, err error) {
	a.folders = map[string]bool{}
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		delete(a.folders, parent(strings.TrimSuffix(h.Name, "/")))
		if h.Typeflag == tar.TypeXGlobalHeader || a.skip(h.Name) {
			continue
		}
		content, err := a.look(h, tr)
		if err != nil {
			return false, err
		}
		e := Entry{Name: h.Name, Mode: h.FileInfo().Mode(), Link: h.Linkname, Size: Unknown}
		e.Open = func() (io.ReadCloser, error) { return io.NopCloser(content), nil }
		// What is to be omitted is known by its place, also where it was committed.
		e.path = filepath.Join(a.dir, filepath.FromSlash(h.Name))
		if !a.yield(e, nil) {
			return false, nil
		}
	}
}

// look looks at an entry for what deserves a warning, and returns its content.
func (a *archive) look(h *tar.Header, content io.Reader) (io.Reader, error) {
	name := strings.TrimSuffix(h.Name, "/")
	const small = 64 << 10
	isAttributes := name == ".gitattributes" || strings.HasSuffix(name, "/.gitattributes")
	switch {
	case h.Typeflag == tar.TypeDir:
		a.folders[name] = true
		return content, nil
	case h.Size > maxPointer && (!isAttributes || h.Size >= small):
		return content, nil
	}
	text, err := io.ReadAll(content)
	if bytes.HasPrefix(text, []byte("version https://git-lfs.github.com/spec/v1\n")) && h.Size <= maxPointer {
		a.pointers = append(a.pointers, name)
	}
	a.subst = a.subst || isAttributes && bytes.Contains(text, []byte("export-subst"))
	return bytes.NewReader(text), err
}

// maxPointer is how large a pointer of Git LFS may be, in bytes
// (docs/spec.md of github.com/git-lfs/git-lfs).
const maxPointer = 1023

// warn yields warnings of what was read.
func (a *archive) warn(ctx context.Context) {
	for _, name := range a.pointers {
		if !a.tell(name, "is a pointer of Git LFS, not the file: run git lfs install and git lfs pull before") {
			return
		}
	}
	for _, name := range a.submodules(ctx) {
		if !a.tell(name, "is a submodule, of which git archive gives an empty directory: add what is needed of it with --artifact") {
			return
		}
	}
	for _, name := range a.depending(ctx) {
		if !a.tell(name, "has a placeholder for export-subst that stands for refs, notes, signatures or a mailmap: two clones of one commit may give other bytes") {
			return
		}
	}
}

func (a *archive) tell(name, text string) bool {
	if a.skip(name) {
		return true
	}
	return a.yield(Entry{Name: name, path: filepath.Join(a.dir, filepath.FromSlash(name))}, Warning{Path: name, Text: text})
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
	if len(names) == 0 {
		return nil
	}
	args := append(append(slices.Clone(gitSettings), "--literal-pathspecs", "archive", "--format=tar", "HEAD", "--"), names[:min(len(names), maxListed)]...)
	cmd := gitCommand(ctx, a.dir, args...)
	out, err := cmd.StdoutPipe()
	if err != nil || cmd.Start() != nil {
		return nil
	}
	names = names[:0]
	for tr := tar.NewReader(out); ; {
		h, err := tr.Next()
		if err != nil {
			break
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(tr, maxPatches))
		if err == nil && !bytes.Contains(text, []byte("$Format:")) {
			names = append(names, h.Name)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	_ = cmd.Wait() // it is only for warnings
	return names
}

// gitList returns what git lists with a NUL behind each.
func gitList(ctx context.Context, dir string, args ...string) []string {
	out, err := gitOutput(ctx, dir, args...)
	if err != nil || out == "" {
		return nil // git grep: nothing was found
	}
	return strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
}

package bundle

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"sync"
	"sync/atomic"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
)

const (
	// walkers is the number of goroutines that look at files: they mostly wait for the kernel.
	walkers = 4
	// batch is the number of files of a directory that one of them takes at a time.
	batch = 256
)

// Filesystem scans the files below the project directory, for [Options.Source].
// It asks skip from several goroutines.
func Filesystem(ctx context.Context, dir string, skip func(name string) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		root, err := os.OpenRoot(dir) // it may be a link: the user has named it
		if err != nil {
			yield(Entry{origin: origin{path: dir}}, err)
			return
		}
		ctx, end := context.WithCancel(ctx)
		w := &walk{ctx: ctx, source: &source{owner: root}, skip: skip, found: make(chan []found, walkers), more: make(chan struct{}, walkers-1)}
		w.running.Go(func() { w.read("", root, ".") })
		go func() { w.running.Wait(); close(w.found) }()
		yielded := w.yield(yield)
		end()
		for range w.found { // until all have ended
		}
		if !yielded {
			_ = root.Close() // nobody reads below it
		}
	}
}

// walk is a scan of a directory.
type walk struct {
	ctx     context.Context //nolint:containedctx // that of the one call that all of this is
	source  *source
	skip    func(string) bool
	found   chan []found
	more    chan struct{} // has one for each goroutine but the first
	running sync.WaitGroup
}

// found is an entry, or an error about it.
type found struct {
	entry Entry
	err   error
}

// yield yields what is found, until the consumer stops. It reports whether that was a file or
// directory.
func (w *walk) yield(yield func(Entry, error) bool) (yielded bool) {
	for some := range w.found {
		for _, f := range some {
			yielded = yielded || f.err == nil
			if w.ctx.Err() != nil || !yield(f.entry, f.err) {
				return yielded
			}
		}
	}
	return yielded
}

// folder is a directory during the walk. Its last user closes it.
type folder struct {
	*os.Root
	users atomic.Int32
}

// do calls f, which uses the directory, in a goroutine of its own if there are not yet
// enough.
func (w *walk) do(in *folder, f func()) {
	in.users.Add(1)
	select {
	case w.more <- struct{}{}:
		w.running.Go(func() {
			f()
			in.release()
			<-w.more
		})
	default:
		f()
		in.release()
	}
}

func (in *folder) release() {
	if in.users.Add(-1) == 0 {
		_ = in.Close() // it was only read
	}
}

// read reads a directory by its slash path below the root, and by its name in the one above.
func (w *walk) read(dir string, above *os.Root, name string) {
	root, list, err := openFolder(above, name)
	if err != nil {
		w.tell(w.entry(dir, err))
		return
	}
	defer list.Close()
	in := &folder{Root: root}
	in.users.Store(1)
	defer in.release()
	for w.ctx.Err() == nil {
		names, err := list.Readdirnames(batch) // ReadDir would look at each file, too
		if len(names) > 0 {
			w.do(in, func() { w.look(dir, in, names) })
		}
		if err != nil && !errors.Is(err, io.EOF) {
			w.tell(w.entry(dir, err))
		}
		if err != nil {
			return
		}
	}
}

// openFolder opens a directory, to look at its files and to list it. It follows no link.
func openFolder(above *os.Root, name string) (root *os.Root, list *os.File, err error) {
	seen, err := above.Lstat(name)
	if err != nil {
		return nil, nil, err
	}
	if !seen.IsDir() {
		return nil, nil, errFolderChanged
	}
	if root, err = above.OpenRoot(name); err != nil {
		return nil, nil, err
	}
	list, err = root.Open(".")
	if err != nil {
		_ = root.Close() // it was not read
		return nil, nil, err
	}
	// An [os.Root] follows links that do not leave it.
	if now, err := list.Stat(); err != nil || !os.SameFile(seen, now) {
		_, _ = root.Close(), list.Close() // as above
		return nil, nil, errFolderChanged
	}
	return root, list, nil
}

// look looks at some files of a directory, and then reads the directories among them.
func (w *walk) look(dir string, in *folder, names []string) {
	some := make([]found, 0, len(names))
	for _, name := range names {
		info, err := in.Lstat(name)
		if full := joined(dir, name); w.ctx.Err() == nil && !w.skip(full) {
			some = append(some, w.lookAt(full, in, info, err))
		}
	}
	w.tell(some...)
	for _, f := range some {
		if name := f.entry.Name; f.entry.Mode.IsDir() && f.err == nil {
			w.do(in, func() { w.read(name, in.Root, path.Base(name)) })
		}
	}
}

func (w *walk) lookAt(name string, in *folder, info fs.FileInfo, err error) found {
	base := path.Base(name)
	if _, unfinished := atomicfile.Unfinished(base); unfinished {
		return w.entry(name, Warning{Path: name, Text: "is left out: it looks like a file that a killed run has left"})
	}
	if err = cmp.Or(checkText(name), err); err != nil {
		return w.entry(name, err)
	}
	f := w.entry(name, nil)
	f.err = f.entry.describe(info, base, in.OpenFile, in.Readlink)
	return f
}

// entry returns an entry by its slash path below the root, and an error about it.
func (w *walk) entry(name string, err error) found {
	return found{Entry{Name: name, asked: true, origin: origin{path: cmp.Or(name, "."), source: w.source}}, err}
}

func (w *walk) tell(some ...found) {
	select {
	case w.found <- some:
	case <-w.ctx.Done():
	}
}

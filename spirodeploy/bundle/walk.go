package bundle

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"
	"sync"
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
		root, err := openRoot(dir)
		if err != nil {
			yield(Entry{from: &origin{path: dir}}, err)
			return
		}
		w := &walk{ctx: ctx, root: root, skip: skip, found: make(chan []found, walkers), ended: make(chan struct{})}
		w.more = sync.NewCond(&w.mu)
		w.push(task{in: root.top()})
		var running sync.WaitGroup
		for range walkers {
			running.Go(w.run)
		}
		go func() { running.Wait(); close(w.found) }()
		w.yield(yield)
		w.end()
		for range w.found { // until all have ended
		}
		for _, t := range w.tasks {
			t.in.release()
		}
		if !w.files {
			_ = root.Close() // nobody reads below it
		}
	}
}

// walk is a scan of a directory.
type walk struct {
	ctx   context.Context //nolint:containedctx // that of the one call that all of this is
	root  *root
	skip  func(string) bool
	found chan []found
	files bool          // whether it has yielded a file below the root
	ended chan struct{} // closed when the consumer stops

	mu    sync.Mutex
	more  *sync.Cond // signals a new task, or the end
	tasks []task
	open  int // number of tasks that are not done
	over  bool
}

// task is a directory to read, or with entries, a part of one to look at.
type task struct {
	dir     string  // slash path below the root; empty for the root
	in      *folder // the parent of dir (the root for the root); with entries, dir
	entries []fs.DirEntry
}

// found is an entry, or an error about it.
type found struct {
	entry Entry
	err   error
}

func (w *walk) yield(yield func(Entry, error) bool) {
	for some := range w.found {
		for _, f := range some {
			w.files = w.files || f.entry.from.owner != nil
			if w.ctx.Err() != nil || !yield(f.entry, f.err) {
				return
			}
		}
	}
}

// end stops all tasks.
func (w *walk) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	close(w.ended)
	w.more.Broadcast()
}

func (w *walk) push(t task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tasks = append(w.tasks, t)
	w.open++
	w.more.Signal()
}

// pop waits for a task. It returns false at the end.
func (w *walk) pop() (task, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.tasks) == 0 && w.open > 0 && !w.over {
		w.more.Wait()
	}
	if len(w.tasks) == 0 || w.over {
		return task{}, false
	}
	// The newest task first, so that there are never many.
	last := len(w.tasks) - 1
	t := w.tasks[last]
	w.tasks = w.tasks[:last]
	return t, true
}

func (w *walk) done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open--; w.open == 0 {
		w.more.Broadcast()
	}
}

func (w *walk) run() {
	for {
		t, ok := w.pop()
		if !ok {
			return
		}
		if t.entries == nil {
			w.read(t)
		} else {
			w.look(t)
		}
		w.done()
	}
}

// read reads a directory and makes tasks of its entries.
func (w *walk) read(t task) {
	dir := t.in
	if t.dir != "" {
		var err error
		dir, err = t.in.open(path.Base(t.dir))
		t.in.release()
		if err != nil {
			w.fail(t.dir, err)
			return
		}
	}
	defer dir.release()
	for w.ctx.Err() == nil {
		entries, err := dir.list(batch)
		if len(entries) > 0 {
			dir.retain()
			w.push(task{t.dir, dir, entries})
		}
		if err != nil && !errors.Is(err, io.EOF) {
			w.fail(t.dir, err)
		}
		if err != nil {
			return
		}
	}
}

// isLeft reports whether a name is that of a file that a run is writing or has left
// unfinished, such as .bundle.tar.ABCDEFGH.tmp.
func isLeft(name string) bool {
	const random = len(".ABCDEFGH.tmp")
	if len(name) < random+2 || name[0] != '.' || !strings.HasSuffix(name, ".tmp") {
		return false
	}
	name = name[len(name)-random:]
	return name[0] == '.' && strings.Trim(name[1:random-len(".tmp")], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// origin returns the origin of an entry by its slash path below the root.
func (w *walk) origin(name string) *origin { return &origin{path: w.root.file(name)} }

// fail yields an error about a directory.
func (w *walk) fail(dir string, err error) {
	w.tell([]found{{Entry{Name: dir, from: w.origin(dir)}, err}})
}

// look looks at some entries of a directory.
func (w *walk) look(t task) {
	defer t.in.release()
	some := make([]found, 0, len(t.entries))
	for _, d := range t.entries {
		name := joined(t.dir, d.Name())
		if w.ctx.Err() != nil || w.skip(name) {
			continue
		}
		if isLeft(d.Name()) {
			some = append(some, found{Entry{Name: name, from: w.origin(name)}, Warning{Path: name, Text: "is left out: it looks like a file that a killed run has left"}})
			continue
		}
		f := w.lookAt(t.in, name, d)
		f.entry.Name, f.entry.asked = name, true
		some = append(some, f)
		if d.IsDir() && f.err == nil {
			t.in.retain()
			w.push(task{dir: name, in: t.in})
		}
	}
	w.tell(some)
}

func (w *walk) lookAt(dir *folder, name string, d fs.DirEntry) found {
	if err := checkText(name); err != nil {
		return found{Entry{from: w.origin(name)}, err}
	}
	if d.IsDir() { // if it no longer is, opening it fails
		return found{Entry{Mode: fs.ModeDir, from: w.origin(name)}, nil}
	}
	e, err := dir.look(d.Name())
	switch {
	case err == nil && e.Mode.IsDir():
		err = errKindChanged
	case e.Mode.IsRegular():
		e.from.owner = w.root
	}
	return found{e, err}
}

func (w *walk) tell(some []found) {
	select {
	case w.found <- some:
	case <-w.ended:
	}
}

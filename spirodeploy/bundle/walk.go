package bundle

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
)

const (
	// walkers is how many goroutines look at files: they mostly wait for the kernel.
	walkers = 4
	// batch is how many files of a directory one of them takes at a time.
	batch = 256
)

// walkDir yields everything below a directory, in any order.
func walkDir(ctx context.Context, top string, skip func(name string) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		w := &walk{ctx: ctx, top: top, skip: skip, found: make(chan []found, walkers), ended: make(chan struct{})}
		w.more = sync.NewCond(&w.mu)
		w.push(task{})
		var running sync.WaitGroup
		for range walkers {
			running.Go(w.run)
		}
		go func() { running.Wait(); close(w.found) }()
		w.yield(yield)
		w.end()
		for range w.found { // until all have ended
		}
	}
}

// walk is a directory on its way of being scanned.
type walk struct {
	ctx   context.Context //nolint:containedctx // that of the one call that all of this is
	top   string
	skip  func(string) bool
	found chan []found
	ended chan struct{} // closed when nobody wants any more

	mu    sync.Mutex
	more  *sync.Cond // there may be something to do, or nothing any more
	tasks []task
	open  int // tasks that are not done
	over  bool
}

// task is a directory to read; or, with entries, a part of one to look at.
type task struct {
	dir     string // below top, a slash path; empty for top itself
	entries []fs.DirEntry
}

// found is what was found, or why there is nothing.
type found struct {
	entry Entry
	err   error
}

func (w *walk) yield(yield func(Entry, error) bool) {
	for some := range w.found {
		for _, f := range some {
			if w.ctx.Err() != nil || !yield(f.entry, f.err) {
				return
			}
		}
	}
}

// end makes all tasks end soon.
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

// pop returns a task, or false when there is none and none will come.
func (w *walk) pop() (task, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.tasks) == 0 && w.open > 0 && !w.over {
		w.more.Wait()
	}
	if len(w.tasks) == 0 || w.over {
		return task{}, false
	}
	// The newest, so that there are never many.
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
			w.read(t.dir)
		} else {
			w.look(t)
		}
		w.done()
	}
}

// read makes tasks of what is in a directory.
func (w *walk) read(rel string) {
	file := filepath.Join(w.top, filepath.FromSlash(rel))
	dir, err := os.Open(file)
	if err != nil {
		w.tell([]found{{Entry{Name: rel, path: file}, err}})
		return
	}
	defer dir.Close()
	for w.ctx.Err() == nil {
		entries, err := dir.ReadDir(batch)
		if len(entries) > 0 {
			w.push(task{rel, entries})
		}
		if err != nil && !errors.Is(err, io.EOF) {
			w.tell([]found{{Entry{Name: rel, path: file}, err}})
		}
		if err != nil {
			return
		}
	}
}

// look finds out what some entries of a directory are.
func (w *walk) look(t task) {
	dir := filepath.Join(w.top, filepath.FromSlash(t.dir)) + string(filepath.Separator)
	some := make([]found, 0, len(t.entries))
	for _, d := range t.entries {
		name := d.Name()
		if t.dir != "" {
			name = t.dir + "/" + name
		}
		if w.ctx.Err() != nil || w.skip(name) {
			continue
		}
		e, err := dirEntry(name, dir+d.Name(), d)
		e.asked = true
		some = append(some, found{e, err})
		if d.IsDir() {
			w.push(task{dir: name})
		}
	}
	w.tell(some)
}

func (w *walk) tell(some []found) {
	select {
	case w.found <- some:
	case <-w.ended:
	}
}

func dirEntry(name, file string, d fs.DirEntry) (Entry, error) {
	if d.IsDir() {
		return Entry{Name: name, Mode: fs.ModeDir, path: file}, nil
	}
	if d.Type().IsRegular() {
		if mode, now, err := lookAt(file); err == nil && now.regular {
			e := Entry{Name: name, Mode: mode, Size: now.size, path: file, modTime: now.modTime}
			return e, checkReadable(file, mode)
		}
	}
	info, err := d.Info()
	if err != nil {
		return Entry{Name: name, path: file}, err
	}
	return fileEntry(name, file, info)
}

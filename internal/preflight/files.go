package preflight

import (
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// A Bundle is what a deployment sends, such as a [bundle.Bundle].
type Bundle interface {
	Items() iter.Seq[bundle.Item]
	Has(name string) (dir, ok bool)
	OpenItem(name string) (io.ReadCloser, error)
}

// Files are the files of a bundle as the server sees them. The server opens files through
// links, and does not list what is behind a link to a directory (SpiroFS 0.3, contents and
// find_file in utils/spiro.py).
type Files struct {
	bundle Bundle
	links  map[string]string // targets of symbolic links, by name
}

// Of returns the files of a bundle.
func Of(b Bundle) *Files {
	f := &Files{bundle: b, links: map[string]string{}}
	for it := range b.Items() {
		if it.Mode&fs.ModeSymlink != 0 {
			name := plain(it.Name)
			f.links[name] = path.Join(path.Dir(name), it.Link)
		}
	}
	return f
}

// plain returns a name without the beginning that "tar -C _salt ." writes.
func plain(name string) string {
	for strings.HasPrefix(name, "./") {
		name = name[len("./"):]
	}
	return name
}

// SLS returns the names of all SLS, as Salt knows them. The file web/init.sls is both web
// and web.init.
func (f *Files) SLS() map[string]bool {
	all := map[string]bool{}
	for name := range f.Names() {
		file, ok := strings.CutSuffix(name, ".sls")
		if !ok {
			continue
		}
		all[strings.ReplaceAll(file, "/", ".")] = true
		if path.Base(file) == "init" {
			all[strings.ReplaceAll(path.Dir(file), "/", ".")] = true
		}
	}
	return all
}

// Names yields the names of all entries.
func (f *Files) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for it := range f.bundle.Items() {
			if name := plain(it.Name); name != "" && !yield(name) {
				return
			}
		}
	}
}

// Has reports whether there is an entry, and whether it is a directory. It follows links.
func (f *Files) Has(name string) (dir, ok bool) {
	to, ok := f.resolve(name)
	if !ok {
		return false, false
	}
	return f.bundle.Has(to)
}

// Open opens a file. It follows links.
func (f *Files) Open(name string) (io.ReadCloser, error) {
	to, ok := f.resolve(name)
	if !ok {
		return nil, fmt.Errorf("open %s: %w", sanitize.Line(name), fs.ErrInvalid)
	}
	return f.bundle.OpenItem(to)
}

// resolve follows all links in a path. It fails if there are too many.
func (f *Files) resolve(name string) (to string, ok bool) {
	const most = 40 // as in Linux
	for range most {
		next, linked := f.follow(name)
		if !linked {
			return name, true
		}
		name = next
	}
	return "", false
}

// follow replaces the first link in a path by its target.
func (f *Files) follow(name string) (next string, linked bool) {
	for end := 1; end <= len(name); end++ {
		if end < len(name) && name[end] != '/' {
			continue
		}
		if to, ok := f.links[name[:end]]; ok {
			return path.Join(to, name[end:]), true
		}
	}
	return name, false
}

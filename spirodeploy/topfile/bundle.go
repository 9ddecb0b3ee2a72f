package topfile

import (
	"errors"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
)

// A Bundle is what is deployed, as the server unpacks it: the content of _salt is
// at its root, beside _artifacts and _source.
type Bundle interface {
	// Names yields the slash path of every entry. That of a directory ends in a slash.
	Names() iter.Seq[string]
	// Has tells whether there is an entry of a slash path without a slash at its end, or
	// one below it, and whether that makes it a directory. It is asked often.
	Has(name string) (dir, ok bool)
	// Open opens a file by its name, through links as the server would follow them.
	Open(name string) (io.ReadCloser, error)
}

// errSize means that a file is larger than what the package reads.
var errSize = errors.New("it has more than 1048576 bytes")

// readFile reads a file of at most MaxSize bytes.
func readFile(b Bundle, name string) ([]byte, error) {
	f, err := b.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err == nil && len(content) > MaxSize {
		err = errSize
	}
	return content, err
}

// An index answers what is in a bundle.
type index struct {
	bundle Bundle
	sls    []string // of list
	room   int      // how many more names are held against globs
}

// maxGlobbed is how many names are held against globs. What is beyond counts as there.
const maxGlobbed = 10_000_000

// list returns the names of the SLS, sorted, as Salt's fileserver lists them. It makes the
// list if it is needed, for there may be very many.
func (x *index) list() []string {
	if x.sls == nil {
		x.sls = []string{}
		for name := range x.bundle.Names() {
			if sls, ok := slsName(name); ok {
				x.sls = append(x.sls, sls)
			}
		}
		slices.Sort(x.sls)
	}
	return x.sls
}

// slsName returns the name by which Salt lists a file (list_states in
// salt/fileclient.py).
func slsName(file string) (string, bool) {
	name, ok := strings.CutSuffix(file, ".sls")
	if !ok {
		return "", false
	}
	return strings.ReplaceAll(strings.TrimSuffix(name, "/init"), "/", "."), true
}

// has tells whether there is a file or a directory of a name. It is true if the
// path goes through what may be a link to a directory.
func (x *index) has(name string) bool {
	if _, ok := x.bundle.Has(name); ok || name == "" {
		return true
	}
	for parent := path.Dir(name); parent != "." && parent != "/"; parent = path.Dir(parent) {
		if dir, ok := x.bundle.Has(parent); ok {
			return !dir
		}
	}
	return false
}

// candidates are the files that Salt looks for by the name of an SLS, in its order.
func candidates(sls string) [2]string {
	name := strings.ReplaceAll(sls, ".", "/")
	return [2]string{name + ".sls", name + "/init.sls"}
}

// find returns the names of the SLS that Salt takes for a name, which may have
// wildcards, and those of them that the bundle does not have. It looks for what a
// name matches in the list of all SLS, and for the name itself if that is nothing
// (render_highstate in salt/state.py).
func (x *index) find(pattern string) (found, missing []string) {
	names := []string{pattern}
	if isGlob(pattern) {
		if x.room -= len(x.list()); x.room < 0 {
			return nil, nil
		}
		matches := glob(pattern)
		names = slices.DeleteFunc(slices.Clone(x.list()), func(sls string) bool { return !matches(sls) })
		if len(names) == 0 {
			return nil, []string{pattern}
		}
	}
	for _, name := range names {
		files := candidates(name)
		if x.has(files[0]) || x.has(files[1]) {
			found = append(found, name)
		} else {
			missing = append(missing, name)
		}
	}
	return found, missing
}

// included is find for an include: Salt looks for it in the list of all SLS alone, in
// which web/init.sls is web, and nothing behind a link to a directory is (render_state in
// salt/state.py).
func (x *index) included(pattern string) (found, missing []string) {
	if isGlob(pattern) {
		return x.find(pattern)
	}
	if _, ok := slices.BinarySearch(x.list(), pattern); ok {
		return []string{pattern}, nil
	}
	return nil, []string{pattern}
}

// file returns the file of an SLS that is there.
func (x *index) file(sls string) (name string, ok bool) {
	for _, name := range candidates(sls) {
		if dir, ok := x.bundle.Has(name); ok && !dir {
			return name, true
		}
	}
	return "", false
}

// lack says in a sentence that an SLS is missing.
func (x *index) lack(sls string) string {
	files := candidates(sls)
	text := "the bundle has neither " + show(files[0]) + " nor " + show(files[1])
	switch near := nearest(sls, x.list()); {
	case isGlob(sls):
		return "no SLS of the bundle matches it"
	case strings.HasSuffix(sls, ".sls"):
		text += ": an SLS is named without its ending, so write " + show(strings.TrimSuffix(sls, ".sls"))
	case near != "" && near != sls:
		text += ": did you mean " + show(near) + "?"
	}
	return text
}

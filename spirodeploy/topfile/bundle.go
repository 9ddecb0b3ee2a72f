package topfile

import (
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

// readFile reads a file, but no more than one byte beyond MaxSize.
func (c *checker) readFile(name string) ([]byte, error) {
	f, err := c.bundle.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxSize+1))
}

// maxGlobbed is how many names are held against globs. What is beyond counts as there.
const maxGlobbed = 10_000_000

// all yields the names of the SLS.
func (c *checker) all(yield func(string) bool) {
	for name := range c.bundle.Names() {
		if sls, ok := slsName(name); ok && !yield(sls) {
			return
		}
	}
}

// list returns the names of the SLS, sorted, as Salt's fileserver lists them. It makes the
// list if it is needed, for there may be very many.
func (c *checker) list() []string {
	if c.sls == nil {
		c.sls = slices.AppendSeq([]string{}, c.all)
		slices.Sort(c.sls)
		for _, sls := range c.sls {
			c.letters += len(sls)
		}
	}
	return c.sls
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
func (c *checker) has(name string) bool {
	if _, ok := c.bundle.Has(name); ok || name == "" {
		return true
	}
	for parent := path.Dir(name); parent != "." && parent != "/"; parent = path.Dir(parent) {
		if dir, ok := c.bundle.Has(parent); ok {
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
func (c *checker) find(pattern string) (found, missing []string) {
	names := []string{pattern}
	if isGlob(pattern) {
		if c.room -= len(c.list()); c.room < 0 {
			return nil, nil
		}
		matches := glob(pattern)
		names = slices.DeleteFunc(slices.Clone(c.list()), func(sls string) bool { return !matches(sls) })
		if len(names) == 0 {
			return nil, []string{pattern}
		}
	}
	for _, name := range names {
		files := candidates(name)
		if c.has(files[0]) || c.has(files[1]) {
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
func (c *checker) included(pattern string) (found, missing []string) {
	if isGlob(pattern) {
		return c.find(pattern)
	}
	if _, ok := slices.BinarySearch(c.list(), pattern); ok {
		return []string{pattern}, nil
	}
	return nil, []string{pattern}
}

// file returns the file of an SLS that is there.
func (c *checker) file(sls string) (name string, ok bool) {
	for _, name := range candidates(sls) {
		if dir, ok := c.bundle.Has(name); ok && !dir {
			return name, true
		}
	}
	return "", false
}

// maxCompared is how many letters are held against letters to find out what was meant.
const maxCompared = 100_000_000

// lack says in a sentence that an SLS is missing. It looks for what was meant only if somebody
// reads that and it takes no time, for there may be very many SLS.
func (c *checker) lack(sls string) string {
	files := candidates(sls)
	text := "the bundle has neither " + show(files[0]) + " nor " + show(files[1])
	switch {
	case isGlob(sls):
		return "no SLS of the bundle matches it"
	case strings.HasSuffix(sls, ".sls"):
		text += ": an SLS is named without its ending, so write " + show(strings.TrimSuffix(sls, ".sls"))
	case c.ctx.Err() == nil && len(c.result.Findings) < maxFindings:
		names := c.list()
		if c.compared += len(sls) * c.letters; c.compared > maxCompared {
			break
		}
		if near := nearest(sls, names); near != "" && near != sls {
			text += ": did you mean " + show(near) + "?"
		}
	}
	return text
}

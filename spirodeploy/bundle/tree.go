package bundle

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// index returns the index of one of the sorted items, or -1.
func (l *items) index(name string) int {
	i, ok := slices.BinarySearchFunc(l.places, name, func(p place, name string) int { return strings.Compare(l.nameOf(p), name) })
	if !ok {
		return -1
	}
	return i
}

func (l *items) find(name string) int {
	i := l.index(name)
	if i >= 0 && !l.at(i).Mode.IsRegular() {
		return -1
	}
	return i
}

func (l *items) look(name string) (it Item, ok bool) {
	i := l.index(name + "/")
	if i < 0 {
		i = l.index(name)
	}
	if i < 0 {
		return it, false
	}
	return l.at(i).Item, true
}

// errLeaves tells dangerous links from broken ones.
var errLeaves = errors.New("leaves the bundle")

const (
	// maxHops is the number of links that a look-up follows, as on Linux (path_resolution(7)).
	maxHops = 40
	// maxSteps is the number of names that a look-up visits.
	maxSteps = 4096
)

// checkLink follows a symbolic link as an operating system would with the bundle as its
// root. It returns why the link must not be in the bundle, or nil.
func checkLink(t index, name, target string) error {
	fail := func(why string) error {
		return fmt.Errorf("%w to %s %s", ErrLink, printable(target), why)
	}
	leaves := func(how string) error {
		return fmt.Errorf("%w to %s %w%s", ErrLink, printable(target), errLeaves, how)
	}
	if target == "" {
		return fmt.Errorf("%w has no target", ErrLink)
	}
	if strings.HasPrefix(target, "/") {
		return leaves(": it is absolute")
	}
	if why := flaw(target); why != "" {
		return fail(why)
	}
	here, todo, more := parent(name), target, true
	for hops, steps := 0, 0; more; steps++ {
		if steps > maxSteps {
			return fail("takes too many steps to follow")
		}
		var part string
		part, todo, more = strings.Cut(todo, "/")
		switch part {
		case "", ".":
			continue
		case "..":
			if here == "" {
				return leaves("")
			}
			here = parent(here)
			continue
		}
		at := joined(here, part)
		it, ok := t.look(at)
		switch link := it.Link; {
		case !ok:
			return fail("dangles: there is no " + printable(at) + " in the bundle")
		case it.Mode.IsDir():
			here = at
		case it.Mode&fs.ModeSymlink != 0:
			if hops++; hops > maxHops {
				return fail("never ends: links lead in a circle")
			}
			if strings.HasPrefix(link, "/") {
				return leaves(", through " + printable(at))
			}
			if more {
				link += "/" + todo
			}
			todo, more = link, true
		case more:
			return fail("dangles: " + printable(at) + " is no directory")
		}
	}
	return nil
}

// parent returns the directory of a clean name, or "" for the root.
func parent(name string) string {
	return name[:max(strings.LastIndexByte(name, '/'), 0)]
}

// joined returns the path of a name in a directory; "" is the root.
func joined(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// lookalikes returns a warning for each name that differs from another one in the same
// directory only in case or Unicode normalisation: on some file systems, the second
// file overwrites the first.
func (l *items) lookalikes() []Warning {
	fold := cases.Fold()
	folded := func(name string) string {
		dir, base := path.Split(name)
		if isASCII(base) {
			if lower := strings.ToLower(base); lower != base {
				return dir + lower
			}
			return name
		}
		return dir + norm.NFC.String(fold.String(norm.NFC.String(base)))
	}
	// A hash of each name, since there may be very many. If two names share a hash by
	// chance, a warning may be missing. Of names that look alike, folding changes at
	// least one, so the others are few.
	seed := maphash.MakeSeed()
	const none = -1
	first := map[uint64]int32{}
	for i := range l.len() {
		name := l.plain(i)
		if key := folded(name); key != name {
			first[maphash.String(seed, key)] = none
		}
	}
	if len(first) == 0 {
		return nil
	}
	var warnings []Warning
	for i := range l.len() {
		name := l.plain(i)
		key := folded(name)
		hash := maphash.String(seed, key)
		j, ok := first[hash]
		switch {
		case !ok:
		case j == none:
			first[hash] = int32(i)
		case l.plain(int(j)) != name && folded(l.plain(int(j))) == key:
			warnings = append(warnings, Warning{Path: name, Text: "differs from " + printable(l.plain(int(j))) + " only in case or Unicode normalisation"})
		}
	}
	return warnings
}

// plain returns the name of an entry without the slash of a directory.
func (l *items) plain(i int) string { return strings.TrimSuffix(l.name(i), "/") }

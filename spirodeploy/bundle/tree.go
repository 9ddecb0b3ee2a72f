package bundle

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"path"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// tree is a bundle's entries, sorted by name, as a file system to look things up in.
type tree struct {
	len int
	at  func(i int) header
}

// find returns the index of an entry, or -1.
func (t tree) find(name string) int {
	i, ok := sort.Find(t.len, func(i int) int { return strings.Compare(name, t.at(i).name) })
	if !ok {
		return -1
	}
	return i
}

// errLeaves tells the links that are dangerous from those that are only broken.
var errLeaves = errors.New("leaves the bundle")

// maxHops is how many links one look-up follows, as on Linux (path_resolution(7)).
const maxHops = 40

// checkLink follows a symbolic link as an operating system would whose root is
// the bundle. It returns why the link must not be in it, or nil.
func (t tree) checkLink(name, target string) error {
	if target == "" {
		return fmt.Errorf("%w has no target", ErrLink)
	}
	fail := func(why string) error {
		return fmt.Errorf("%w to %s %s", ErrLink, printable(target), why)
	}
	leaves := func(how string) error {
		return fmt.Errorf("%w to %s %w%s", ErrLink, printable(target), errLeaves, how)
	}
	if strings.HasPrefix(target, "/") {
		return leaves(": it is absolute")
	}
	if why := checkTarget(target); why != "" {
		return fail(why)
	}
	here := strings.Split(name, "/")
	here = here[:len(here)-1]
	todo := strings.Split(target, "/")
	for hops := 0; len(todo) > 0; {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(here) == 0 {
				return leaves("")
			}
			here = here[:len(here)-1]
			continue
		}
		at := path.Join(strings.Join(here, "/"), part)
		if t.find(at+"/") >= 0 {
			here = append(here[:len(here):len(here)], part)
			continue
		}
		i := t.find(at)
		if i < 0 {
			return fail("dangles: there is no " + printable(at) + " in the bundle")
		}
		if next := t.at(i); next.mode&fs.ModeSymlink != 0 {
			if hops++; hops > maxHops {
				return fail("never ends: links lead in a circle")
			}
			if strings.HasPrefix(next.link, "/") {
				return leaves(", through " + printable(at))
			}
			todo = append(strings.Split(next.link, "/"), todo...)
			continue
		}
		if len(todo) > 0 {
			return fail("dangles: " + printable(at) + " is no directory")
		}
	}
	return nil
}

// checkTarget returns what is wrong with a target whatever the bundle, or "".
func checkTarget(target string) string {
	switch {
	case strings.ContainsRune(target, 0):
		return "has a NUL character"
	case !utf8.ValidString(target):
		return "is not valid UTF-8"
	}
	return ""
}

// lookalikes warns of names in one directory that differ only in case or in
// Unicode normalisation: on file systems that take them for one, the second
// overwrites the first.
func (t tree) lookalikes() []Warning {
	var warnings []Warning
	fold := cases.Fold()
	// Of each name a hash, since there may be very many. Should two names have the
	// same one by chance, there may be a warning less.
	seed := maphash.MakeSeed()
	first := make(map[uint64]int32, t.len)
	folded := func(i int) string {
		name := strings.TrimSuffix(t.at(i).name, "/")
		dir, base := path.Split(name)
		if isASCII(base) {
			if lower := strings.ToLower(base); lower != base {
				return dir + lower
			}
			return name
		}
		return dir + norm.NFC.String(fold.String(norm.NFC.String(base)))
	}
	for i := range t.len {
		name := strings.TrimSuffix(t.at(i).name, "/")
		key := folded(i)
		hash := maphash.String(seed, key)
		j, ok := first[hash]
		if !ok {
			first[hash] = int32(i)
			continue
		}
		other := strings.TrimSuffix(t.at(int(j)).name, "/")
		if other != name && folded(int(j)) == key {
			warnings = append(warnings, Warning{Path: name, Text: "differs from " + printable(other) + " only in case or Unicode normalisation"})
		}
	}
	return warnings
}

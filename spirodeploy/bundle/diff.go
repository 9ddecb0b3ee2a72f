package bundle

import (
	"fmt"
	"io"
	"maps"
	"path"
	"slices"

	"github.com/opencontainers/go-digest"
)

// Kind says how an entry differs between two bundles.
type Kind string

// The ways to differ.
const (
	Added   Kind = "added"
	Removed Kind = "removed"
	Changed Kind = "changed"
)

// A Change is one difference between two bundles.
type Change struct {
	Name string
	Kind Kind
	Old  *Item // nil if Added
	New  *Item // nil if Removed
}

// String returns "+ NAME", "- NAME" or "~ NAME (what)".
func (c Change) String() string {
	switch c.Kind {
	case Added:
		return "+ " + printable(c.Name)
	case Removed:
		return "- " + printable(c.Name)
	}
	return "~ " + printable(c.Name) + " (" + c.what() + ")"
}

func (c Change) what() string {
	switch o, n := c.Old, c.New; {
	case o.Mode.Type() != n.Mode.Type():
		return "another kind"
	case o.Link != n.Link:
		return fmt.Sprintf("link %s → %s", printable(o.Link), printable(n.Link))
	case o.Size != n.Size:
		return fmt.Sprintf("size %d → %d", o.Size, n.Size)
	case o.Mode != n.Mode:
		return fmt.Sprintf("mode %04o → %04o", o.Mode.Perm(), n.Mode.Perm())
	}
	return "content"
}

// Diff compares two tars by path: the kind of each entry, its content, its link target
// and whether it is executable. Owners, times and order do not count. The changes are
// sorted by name. The error means that a tar cannot be read or is unsafe: the content of
// an unsafe tar depends on the reader.
func Diff(from, to io.Reader) ([]Change, error) {
	before, err := contentOf(from)
	if err != nil {
		return nil, fmt.Errorf("old bundle: %w", err)
	}
	after, err := contentOf(to)
	if err != nil {
		return nil, fmt.Errorf("new bundle: %w", err)
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(before)), maps.Keys(after))
	slices.Sort(names)
	var changes []Change
	for _, name := range slices.Compact(names) {
		o, was := before[name]
		n, is := after[name]
		switch {
		case !is:
			changes = append(changes, Change{Name: name, Kind: Removed, Old: &o.Item})
		case !was:
			changes = append(changes, Change{Name: name, Kind: Added, New: &n.Item})
		case o != n:
			changes = append(changes, Change{Name: name, Kind: Changed, Old: &o.Item, New: &n.Item})
		}
	}
	return changes, nil
}

// plainName returns the name that this package's format has for an entry, without the
// slash of a directory: "" for the root.
func plainName(name string) string { return path.Clean("/" + name)[1:] }

// content is an item with the digest of its bytes.
type content struct {
	Item
	digest digest.Digest
}

// contentOf returns the entries of a tar by name. The last entry of a path counts, as in
// unpacking.
func contentOf(r io.Reader) (map[string]content, error) {
	digests := map[string]digest.Digest{}
	v, err := verify(r, func(it Item, r io.Reader) error {
		d, err := digest.FromReader(r)
		digests[it.Name] = d
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(v.contents.Unsafe) > 0 {
		return nil, fmt.Errorf("is unsafe: %w", v.contents.Unsafe)
	}
	found := make(map[string]content, v.listed.items.len())
	for i := range v.listed.items.len() {
		it := v.listed.items.at(i)
		key := it.Name
		it.Name = plainName(it.Name)
		if it.Name == "" {
			continue
		}
		it.Mode = canonicalMode(it.Mode)
		entry := content{it.Item, digests[key]}
		if target, ok := found[plainName(it.Link)]; ok && it.isHard() {
			entry = target // a hard link is another name of the same file
			entry.Name = it.Name
		}
		found[it.Name] = entry
	}
	return found, nil
}

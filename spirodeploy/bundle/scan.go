package bundle

import (
	"bytes"
	"fmt"
)

// ParseSource returns a scanner by the name that users type: "filesystem" or "fs" for
// [Filesystem], "git" for [Git], "" for none.
func ParseSource(name string) (Scanner, error) {
	switch name {
	case "":
		return nil, nil
	case "filesystem", "fs":
		return Filesystem, nil
	case "git":
		return Git, nil
	}
	return nil, fmt.Errorf("source %q: not one of filesystem, fs, git", name)
}

// contentEntry returns the entry for a file with given content.
func contentEntry(name string, content []byte) Entry {
	return Entry{Name: name, Size: int64(len(content)), origin: origin{source: &source{at: bytes.NewReader(content)}}}
}

package bundle

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/diff"
)

// Limits of what Patches reads into memory, in bytes.
const (
	maxPatched = 64 << 10 // of one file
	maxPatches = 32 << 20 // of all files of a bundle
)

// Patches returns unified diffs of changed texts, by name, for the changes that [Diff]
// has found between two tars. It reads both once more. Files of more than 64 KiB and
// files that are not text have no diff, nor have files beyond a total of 32 MiB.
func Patches(changes []Change, from, to io.Reader) (map[string]string, error) {
	wanted := map[string]bool{}
	for _, c := range changes {
		if c.Kind == Changed && c.Old.Mode.IsRegular() && c.New.Mode.IsRegular() && max(c.Old.Size, c.New.Size) <= maxPatched {
			wanted[c.Name] = true
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	before, err := texts(from, wanted)
	if err != nil {
		return nil, fmt.Errorf("old bundle: %w", err)
	}
	after, err := texts(to, wanted)
	if err != nil {
		return nil, fmt.Errorf("new bundle: %w", err)
	}
	patches := map[string]string{}
	for name, text := range after {
		old, ok := before[name]
		if !ok || bytes.Equal(old, text) {
			continue
		}
		patch := diff.Diff("old/"+name, old, "new/"+name, text)
		_, patch, _ = bytes.Cut(patch, []byte("\n")) // the first line is for programs
		patches[name] = string(patch)
	}
	return patches, nil
}

// texts returns the content of the wanted files that are text, as far as there is room.
// The last entry of a path counts.
func texts(r io.Reader, wanted map[string]bool) (map[string][]byte, error) {
	found, room := map[string][]byte{}, int64(maxPatches)
	_, err := verify(r, func(it Item, r io.Reader) error {
		name := plainName(it.Name)
		if !wanted[name] {
			return nil
		}
		delete(found, name)
		if it.Size > maxPatched || it.Size > room {
			return nil
		}
		content, err := io.ReadAll(r)
		if isText := utf8.Valid(content) && !bytes.ContainsRune(content, 0); isText && err == nil {
			room -= it.Size
			found[name] = content
		}
		return err
	})
	return found, err
}

package step

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spirostack/spirodeploy/internal/listing"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
)

// contents reads the bundle.
func (s step) contents() (*bundle.Contents, error) {
	f, err := os.Open(s.at(InputFile))
	if err != nil {
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	defer f.Close()
	return bundle.Verify(f)
}

// print prints what a step that reads has to say.
func (s step) print(text string, err error) error {
	if err == nil {
		_, err = io.WriteString(s.out, text)
	}
	return err
}

// digest returns the digest of a bundle.
func (s step) digest() (string, error) {
	c, err := s.contents()
	if err != nil {
		return "", err
	}
	return c.Digest.String() + "\n", nil
}

// manifest returns a line for each entry with its size, an x if it is executable, and its
// name, then a line for each reason not to trust the bundle.
func (s step) manifest() (string, error) {
	c, err := s.contents()
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, it := range c.Items {
		fmt.Fprintln(&text, listing.Content(it))
	}
	for _, p := range c.Unsafe {
		fmt.Fprintf(&text, "warning: not safe to send: %v\n", p)
	}
	for _, p := range c.Foreign {
		fmt.Fprintf(&text, "warning: not in this project's bundle format: %v\n", p)
	}
	return text.String(), nil
}

// diff returns a line for each change.
func (s step) diff() (string, error) {
	before, err := os.Open(s.at(OldFile))
	if err != nil {
		return "", fmt.Errorf("open old bundle: %w", err)
	}
	defer before.Close()
	after, err := os.Open(s.at(InputFile))
	if err != nil {
		return "", fmt.Errorf("open new bundle: %w", err)
	}
	defer after.Close()
	changes, err := bundle.Diff(before, after)
	var text strings.Builder
	for _, c := range changes {
		fmt.Fprintln(&text, c)
	}
	return text.String(), err
}

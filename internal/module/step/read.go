package step

import (
	"bytes"
	"fmt"
	"io"
	"os"

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

// digest prints the digest of a bundle.
func (s step) digest() error {
	c, err := s.contents()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, c.Digest)
	return err
}

// manifest prints a line for each entry with its size, an x if it is executable, and its
// name, then a line for each reason not to trust the bundle.
func (s step) manifest() error {
	c, err := s.contents()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, it := range c.Items {
		fmt.Fprintln(&text, listing.Content(it))
	}
	for _, p := range c.Unsafe {
		fmt.Fprintf(&text, "warning: not safe to send: %v\n", p)
	}
	for _, p := range c.Foreign {
		fmt.Fprintf(&text, "warning: not in this project's bundle format: %v\n", p)
	}
	_, err = io.Copy(s.out, &text)
	return err
}

// diff prints a line for each change.
func (s step) diff() error {
	before, err := os.Open(s.at(OldFile))
	if err != nil {
		return fmt.Errorf("open old bundle: %w", err)
	}
	defer before.Close()
	after, err := os.Open(s.at(InputFile))
	if err != nil {
		return fmt.Errorf("open new bundle: %w", err)
	}
	defer after.Close()
	changes, err := bundle.Diff(before, after)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, c := range changes {
		fmt.Fprintln(&text, c)
	}
	_, err = io.Copy(s.out, &text)
	return err
}

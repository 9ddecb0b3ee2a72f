package bundle

import (
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// Conditions that [errors.Is] finds in the errors of this package.
var (
	// ErrChanged means that a file has changed since the walk of the tree, or since
	// OpenFile.
	ErrChanged = errors.New("changed since the tree was walked")
	// ErrDigest means that the bundle does not have the wanted digest.
	ErrDigest = errors.New("the bundle has another digest")
	// ErrEmpty means that there is nothing to bundle.
	ErrEmpty = errors.New("nothing to bundle")
	// ErrLink means that a symbolic link leaves the bundle, dangles or loops.
	ErrLink = errors.New("symbolic link")
	// ErrDuplicate means that two entries have one path.
	ErrDuplicate = errors.New("two entries of one path")
	// ErrName means that a name cannot be in a bundle.
	ErrName = errors.New("bad name")
	// ErrHeader means that two readers could take a header of a tar differently.
	ErrHeader = errors.New("unsafe header")
	// ErrKind means that an entry is neither file, directory nor symbolic link.
	ErrKind = errors.New("neither file, directory nor symbolic link")
)

// A Problem is one reason why New cannot bundle a tree, or why a tar is not safe to send.
type Problem struct {
	Path string     // in the tree, as the user knows it, or in the tar; may be empty
	Err  error      // why
	Hint fault.Hint // what helps; may be empty
}

// Explain returns the parts of the problem: what failed is the path.
func (p Problem) Explain() fault.Parts {
	return fault.Parts{What: printable(p.Path), Why: p.Err.Error(), Help: p.Hint}
}

// Error returns "PATH: why (what helps)", with control characters of the path quoted
// and options spelled as fields of Go structs.
func (p Problem) Error() string {
	text := Warning{Path: p.Path, Text: p.Err.Error()}.String()
	if p.Hint != "" {
		text += " (" + p.Hint.String() + ")"
	}
	return text
}

func (p Problem) Unwrap() error { return p.Err }

// CheckDigest returns a [Problem] if a digest that a bundle must have is malformed. An empty
// digest allows any bundle.
func CheckDigest(want digest.Digest) error {
	if want == "" || want.Validate() == nil && want.Algorithm() == digest.SHA256 {
		return nil
	}
	return Problem{Err: fmt.Errorf("digest %q: malformed, not a SHA-256 digest", want), Hint: `it looks like "sha256:" and 64 hexadecimal digits`}
}

// Problems are several problems as one error.
type Problems []Problem

// Error returns the one problem in a line, or a list with a line for each.
func (ps Problems) Error() string {
	if len(ps) == 1 {
		return ps[0].Error()
	}
	return errlist.Text(ps.Unwrap())
}

// Unwrap returns the problems, for [errors.Is] and [errors.As].
func (ps Problems) Unwrap() []error {
	errs := make([]error, len(ps))
	for i, p := range ps {
		errs[i] = p
	}
	return errs
}

// A Warning is something that a person should know, and that stops nothing.
type Warning struct {
	Path string // where; may be empty
	Text string
	// Minor means that nothing is wrong with the bundle: quiet programs leave the warning out.
	Minor bool
}

// Error returns String. A [Scanner] can yield a warning as an error.
func (w Warning) Error() string { return w.String() }

// String returns "PATH: text".
func (w Warning) String() string {
	if w.Path == "" {
		return w.Text
	}
	return printable(w.Path) + ": " + w.Text
}

// printable returns a path for a line of text.
func printable(path string) string { return sanitize.Line(path) }

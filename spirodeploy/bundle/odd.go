package bundle

import (
	"errors"
	"fmt"
)

// oddity says why two readers could take a header differently.
type oddity string

func (o oddity) Error() string { return string(o) }

func odd(format string, args ...any) error { return oddity(fmt.Sprintf(format, args...)) }

// placed adds the offset of the header to an oddity. It returns other errors unchanged.
func placed(err error, at int64) error {
	if o := oddity(""); errors.As(err, &o) {
		return fmt.Errorf("%w at byte %d: %s", ErrHeader, at, string(o))
	}
	return err
}

// sparse returns the error for a file with holes. These read as zeros, so a few bytes could
// stand for exabytes.
func sparse(name string) error {
	return fmt.Errorf("%s is a sparse file: make the tar without --sparse (bsdtar: with --no-read-sparse)", printable(name))
}

package bundle

import (
	"errors"
	"fmt"
)

// oddity is a header that two readers could take differently.
type oddity struct {
	at  int64 // where its block begins
	why string
}

func odd(format string, args ...any) error { return &oddity{why: fmt.Sprintf(format, args...)} }

// placed says which header an oddity is about. Other errors stay what they are.
func placed(err error, at int64) error {
	if o := (*oddity)(nil); errors.As(err, &o) {
		return &oddity{at, o.why}
	}
	return err
}

func (o *oddity) Error() string {
	return fmt.Sprintf("%v at byte %d: %s", ErrHeader, o.at, o.why)
}

func (o *oddity) Is(target error) bool { return target == ErrHeader }

// errSparse is what a file with holes is: they would be read as zeros, so that a
// few bytes could stand for exabytes.
var errSparse = errors.New("is a sparse file")

func sparse(name string) error {
	return fmt.Errorf("%s %w: make the tar without --sparse", printable(name), errSparse)
}

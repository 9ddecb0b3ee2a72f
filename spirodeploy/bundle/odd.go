package bundle

import (
	"errors"
	"fmt"
)

// oddity is a header that two readers could take differently.
type oddity struct {
	at  int64 // offset of its block
	why string
}

func odd(format string, args ...any) error { return &oddity{why: fmt.Sprintf(format, args...)} }

// placed adds the offset of the header to an oddity. It returns other errors unchanged.
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

// errSparse means that a file has holes. These read as zeros, so a few bytes could stand
// for exabytes.
var errSparse = errors.New("is a sparse file")

func sparse(name string) error {
	return fmt.Errorf("%s %w: make the tar without --sparse", printable(name), errSparse)
}

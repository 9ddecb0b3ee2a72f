// Package retold gives errors another text.
package retold

// Error is an error with another text. [errors.Is] and [errors.As] find the causes.
type Error struct {
	text string
	err  error
}

// New returns err with another text, such as one without a secret.
func New(text string, err error) *Error { return &Error{text, err} }

func (e *Error) Error() string { return e.text }

// GoString keeps %#v from showing the cause, which may have a secret in its text.
func (e *Error) GoString() string { return "&" + e.text }

func (e *Error) Unwrap() error { return e.err }

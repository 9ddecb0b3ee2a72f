// Package errlist tells several problems at once, each in a line of its own.
package errlist

import (
	"fmt"
	"strings"
)

// list is more than one problem.
type list []error

// Join returns nil for no problem, the one there is, or an error that lists
// them all. Nil errors are left out, and lists become part of the list.
func Join(errs ...error) error {
	var all list
	for _, err := range errs {
		switch err := err.(type) { //nolint:errorlint // a list that is wrapped has a text of its own
		case nil:
		case list:
			all = append(all, err...)
		default:
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

func (l list) Error() string { return Text(l) }

// maxListed is how many problems are listed: nobody reads more, and there may be
// one for each file of a tree.
const maxListed = 100

// Text lists problems, each in a line of its own: a hundred, and then how many more
// there are.
func Text(problems []error) string {
	texts := make([]string, len(problems))
	for i, err := range problems {
		texts[i] = err.Error()
	}
	return List(texts)
}

// List is Text for what problems say.
func List(texts []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d problems:", len(texts))
	for _, text := range texts[:min(len(texts), maxListed)] {
		b.WriteString("\n  - " + strings.ReplaceAll(text, "\n", "\n    "))
	}
	if more := len(texts) - maxListed; more > 0 {
		fmt.Fprintf(&b, "\n  and %d more", more)
	}
	return b.String()
}

func (l list) Unwrap() []error { return l }

// Package errlist combines several problems in one error, with a line for each.
package errlist

import (
	"fmt"
	"strings"
)

// list is more than one problem.
type list []error

// Join returns an error that lists all problems. It returns nil if there is none, and the
// problem itself if there is one. Nil errors do not count; lists are merged.
func Join(errs ...error) error {
	var all list
	for _, err := range errs {
		switch err := err.(type) { //nolint:errorlint // a wrapped list has its own text
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

// maxListed limits how many problems are listed. There may be one for each file of a tree.
const maxListed = 100

// Text lists problems, with a line for each. It lists the first hundred, and says how many
// more there are.
func Text(problems []error) string {
	texts := make([]string, len(problems))
	for i, err := range problems {
		texts[i] = err.Error()
	}
	return List(texts)
}

// List does the same as [Text] for the texts of problems.
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

// Package dotgit keeps the directories of Git out of bundles.
package dotgit

import (
	"errors"
	"slices"
	"strings"
)

var errName = errors.New(".git is never a part of a bundle")

// Check returns an error if an element of a slash path is .git.
func Check(name string) error {
	if strings.Contains(name, ".git") && slices.Contains(strings.Split(name, "/"), ".git") {
		return errName
	}
	return nil
}

package preflight

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// maxID is the length in bytes of the longest name of a file, which Salt makes of an id.
const maxID = 255

// CheckMinion returns an error if a text cannot be the id of a minion (salt 3005,
// utils/verify.py). Such a minion would never be reached, and the user would learn that after
// the deployment. The caller says what the text stands for.
func CheckMinion(what, id string) error {
	switch {
	case strings.TrimSpace(id) == "":
		return noID(what, id, "it is empty", "is a variable not set?")
	case strings.TrimSpace(id) != id:
		return noID(what, id, "it begins or ends with white space", "")
	case !utf8.ValidString(id):
		return noID(what, id, "it is not UTF-8", "")
	case strings.ContainsAny(id, "/\x00"): // a backslash may be in an id of a report, which spells other bytes so
		return noID(what, id, "it has a character that no id has", "")
	case len(id) > maxID:
		return noID(what, id, fmt.Sprintf("it is longer than %d bytes", maxID), "")
	}
	return nil
}

func noID(what, id, why string, help fault.Hint) error {
	return &fault.Error{What: fmt.Sprintf("%s %q", what, id), Err: errors.New(why), Help: help}
}

// target matches what a person who types it means as a pattern, although it may be an id: a
// glob, or a compound target.
var target = regexp.MustCompile(`[*?\[\]]|^[A-Z]@|\s(and|or|not)\s`)

// CheckTyped is CheckMinion for an id that somebody typed.
func CheckTyped(what, id string) error {
	switch {
	case strings.Contains(id, ","):
		return noID(what, id, "it takes one id", "name each by itself")
	case target.MatchString(id):
		return noID(what, id, "it takes the id of one minion, not a pattern", "{min-minions} takes a number of them")
	}
	return CheckMinion(what, id)
}

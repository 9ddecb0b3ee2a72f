package preflight

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// noID matches what cannot be the id of a minion: a glob, a compound target, or what is no
// name of a file, which Salt makes of an id (salt 3005, utils/verify.py). A backslash may be
// in an id of a report, which has bytes that are not UTF-8 in that form.
var noID = regexp.MustCompile(`[*?\[\]/\x00]|^[A-Z]@|^\s|\s$|\s(and|or|not)\s`)

// maxID is the length in bytes of the longest name of a file.
const maxID = 255

// CheckMinion returns an error if a text cannot be the id of a minion. Such a minion would
// never be reached, and the user would learn that after the deployment. The caller says
// what the text stands for.
func CheckMinion(what, id string) error {
	what = fmt.Sprintf("%s %q", what, id)
	switch {
	case strings.TrimSpace(id) == "":
		return &fault.Error{What: what, Err: errors.New("it is empty"), Help: "is a variable not set?"}
	case strings.Contains(id, ","):
		return &fault.Error{What: what, Err: errors.New("it takes one id"), Help: "name each by itself"}
	case len(id) > maxID || !utf8.ValidString(id) || noID.MatchString(id):
		return &fault.Error{What: what, Err: errors.New("it takes the id of one minion, not a pattern"), Help: "{min-minions} takes a number of them"}
	}
	return nil
}

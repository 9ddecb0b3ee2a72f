package view

import (
	"fmt"
	"path"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// dryRun writes what would be sent, and where to.
func (x *text) dryRun() {
	x.print("", fmt.Sprintf("%s would go to %s", sanitize.Line(x.Saltenv), sanitize.Line(x.Server)))
	fact := func(name, text string) {
		if text != "" {
			x.print("", fmt.Sprintf("    %-8s %s", name, sanitize.Line(text)))
		}
	}
	fact("token", x.Rights)
	if x.Verdict == report.Success { // it was asked
		fact("server", "takes the token")
	}
	fact("commit", x.Bundle.Commit)
	fact("from", x.Bundle.Origin)
	if x.Bundle.Digest == "" {
		return
	}
	fact("bundle", fmt.Sprintf("%s, %s", human.Count(x.Bundle.Entries, "entry", "entries"), human.Size(x.Bundle.Size)))
	x.top()
	x.print("", "")
	for _, c := range x.Bundle.Contents {
		x.print("", inTree(c))
	}
	x.print("", "")
}

// top writes which minions get which SLS.
func (x *text) top() {
	if x.Top == nil {
		return
	}
	x.print("", "")
	x.print("", "    Who gets what, by "+sanitize.Line(x.Top.File)+":")
	for _, l := range topLines(x.Top) {
		x.print("", "        "+l)
	}
	if len(x.Expected) > 0 {
		x.print("", "    Has to be there: "+sanitize.Names(x.Expected))
	}
	if x.MinMinions > 0 {
		x.print("", "    Has to be there: "+human.Plural(x.MinMinions, "minion")+" at least")
	}
}

// topLines returns a line for each target of the top file.
func topLines(t *report.Top) []string {
	if t.Template {
		return []string{"Salt renders the file, so that only the master knows."}
	}
	if len(t.Targets) == 0 {
		return []string{"nobody"}
	}
	lines := each(first(t.Targets, maxTop), func(target report.TopTarget) string {
		match := ""
		if target.Match != defaultMatch {
			match = " (" + oneLine(target.Match) + ")"
		}
		return oneLine(target.Expression) + match + ": " + oneLine(strings.Join(target.SLS, ", "))
	})
	if left := len(t.Targets) - maxTop; left > 0 {
		lines = append(lines, "and "+human.Plural(left, "more target"))
	}
	return lines
}

// defaultMatch is the match of a target that names none.
const defaultMatch = "compound"

// maxTop is how many targets of a top file are shown.
const maxTop = 100

// inTree returns an entry as a line of a tree: size, an x if it is executable, and its
// name, indented below that of its directory.
func inTree(c report.Content) string {
	size, mark := human.Size(c.Size), " "
	name := strings.TrimSuffix(c.Name, "/")
	line := strings.Repeat("  ", strings.Count(name, "/")) + sanitize.Line(path.Base(name))
	switch {
	case name != c.Name:
		size, line = "", line+"/"
	case c.Link != "":
		size, line = "", line+" -> "+sanitize.Line(c.Link)
	case c.Executable:
		mark = "x"
	}
	return fmt.Sprintf("%12s %s %s", size, mark, line)
}

package report

import (
	"fmt"
	"path"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// writeDryRun tells what would be sent, where to, and what allows that.
func (t *Target) writeDryRun(p *printer) {
	p.print("", fmt.Sprintf("%s would go to %s", sanitize.Line(t.Saltenv), sanitize.Line(t.Server)))
	fact := func(name, text string) {
		if text != "" {
			p.print("", fmt.Sprintf("    %-8s %s", name, sanitize.Line(text)))
		}
	}
	fact("token", t.Rights)
	if t.Verdict == Success { // it was asked
		fact("server", "takes the token")
	}
	fact("commit", t.Bundle.Commit)
	if t.Bundle.Digest == "" {
		return
	}
	fact("bundle", fmt.Sprintf("%s, %s", human.Count(t.Bundle.Entries, "entry", "entries"), human.Size(t.Bundle.Size)))
	t.writeTop(p)
	p.print("", "")
	for _, c := range t.Bundle.Contents {
		p.print("", c.inTree())
	}
	p.print("", "")
}

// writeTop tells who is to get which SLS.
func (t *Target) writeTop(p *printer) {
	if t.Top == nil {
		return
	}
	p.print("", "")
	p.print("", "    Who gets what, by "+sanitize.Line(t.Top.File)+":")
	for _, l := range t.Top.lines() {
		p.print("", "        "+l)
	}
	if len(t.Expected) > 0 {
		p.print("", "    Has to be there: "+nameSome(t.Expected))
	}
	if t.MinMinions > 0 {
		p.print("", "    Has to be there: "+plural(t.MinMinions, "minion")+" at least")
	}
}

// lines returns a line for each target of the top file.
func (t *Top) lines() []string {
	if t.Template {
		return []string{"Salt renders the file, so that only the master knows."}
	}
	if len(t.Targets) == 0 {
		return []string{"nobody"}
	}
	var lines []string
	for i, target := range t.Targets {
		if i == maxTop {
			lines = append(lines, "and "+plural(len(t.Targets)-i, "more target"))
			break
		}
		match := ""
		if target.Match != defaultMatch {
			match = " (" + oneLine(target.Match) + ")"
		}
		lines = append(lines, oneLine(target.Expression)+match+": "+oneLine(strings.Join(target.SLS, ", ")))
	}
	return lines
}

// defaultMatch is how Salt reads a target that does not say how.
const defaultMatch = "compound"

// maxTop is how many targets of a top file are shown.
const maxTop = 100

// inTree returns the entry as a line of a tree, in which names are indented below
// those of their directories: its size, and an x where it is executable.
func (c Content) inTree() string {
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

package report

import (
	"fmt"
	"path"
	"strings"

	"github.com/spirostack/spirodeploy/internal/plain"
)

// writeDryRun tells what would be sent, where to, and what allows that.
func (t *Target) writeDryRun(p *printer) {
	p.print("", fmt.Sprintf("%s would go to %s", plain.Line(t.Saltenv), plain.Line(t.Server)))
	fact := func(name, text string) {
		if text != "" {
			p.print("", fmt.Sprintf("    %-8s %s", name, plain.Line(text)))
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
	fact("bundle", fmt.Sprintf("%s, %s", plain.Count(t.Bundle.Entries, "entry", "entries"), Size(t.Bundle.Size)))
	p.print("", "")
	for _, c := range t.Bundle.Contents {
		p.print("", c.inTree())
	}
	p.print("", "")
}

// inTree returns the entry as a line of a tree, in which names are indented below
// those of their directories: its size, and an x where it is executable.
func (c Content) inTree() string {
	size, mark := Size(c.Size), " "
	name := strings.TrimSuffix(c.Name, "/")
	line := strings.Repeat("  ", strings.Count(name, "/")) + plain.Line(path.Base(name))
	switch {
	case name != c.Name:
		size, line = "", line+"/"
	case c.Link != "":
		size, line = "", line+" -> "+plain.Line(c.Link)
	case c.Executable:
		mark = "x"
	}
	return fmt.Sprintf("%12s %s %s", size, mark, line)
}

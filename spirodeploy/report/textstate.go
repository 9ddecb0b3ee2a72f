package report

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// resultWords are Salt's.
var resultWords = map[highstate.Outcome]string{
	highstate.OK: "True", highstate.Changed: "True", highstate.Pending: "None", highstate.Bad: "False",
}

var outcomeColors = map[highstate.Outcome]color{
	highstate.OK: inGreen, highstate.Changed: inCyan, highstate.Pending: inYellow, highstate.Bad: inRed,
}

// Fields of a state: the names end in one column, and all lines of the values
// begin in another.
const (
	fieldName = "    %12s: "
	fieldPad  = "                  "
)

// state writes a state as Salt's highstate outputter does, less what is empty,
// and why it did not run.
func (p *printer) state(s *highstate.State, because []string) {
	c := outcomeColors[s.Outcome]
	field := func(c color, name, value string) {
		if value = strings.TrimSpace(shown(value)); value != "" {
			p.hang(c, fmt.Sprintf(fieldName, name), fieldPad, value)
		}
	}
	p.print(c, "    ----------")
	field(c, "ID", s.ID)
	field(c, "Function", s.Function)
	if s.Name != s.ID {
		field(c, "Name", s.Name)
	}
	field(c, "SLS", s.SLS)
	field(c, "Result", resultWords[s.Outcome])
	field(c, "Comment", s.Comment)
	for _, cause := range because {
		field(c, "Because", cause)
	}
	for _, warning := range s.Warnings {
		field(inYellow, "Warning", warning)
	}
	field(c, "Duration", seconds(s.Duration))
	for i, l := range changeLines(s.Changes, c) {
		head := fieldPad
		switch {
		case i == 0:
			head = fmt.Sprintf(fieldName, "Changes")
		case l.text == "":
			head = ""
		}
		p.print(l.color, head+l.text)
	}
}

// shown returns the beginning of a text, harmless. The JSON report has all of it.
func shown(s string) string { return sanitize.Text(sanitize.Clip(s, maxShown)) }

package report

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// causes knows why the states of a minion failed. It reads each state that others
// hang on once.
type causes struct {
	states  []highstate.State
	known   *highstate.Requisites // most often it is not needed
	reasons map[*highstate.State]string
}

func causesOf(states []highstate.State) *causes { return &causes{states: states} }

// maxCauses is how many causes of a state are told.
const maxCauses = 3

// because returns a line for each cause of a state that did not run because others
// had failed; none for any other state.
func (c *causes) because(s *highstate.State) []string {
	if !s.LacksRequisite() {
		return nil
	}
	if c.known == nil {
		c.known, c.reasons = highstate.NewRequisites(c.states), map[*highstate.State]string{}
	}
	var lines []string
	all := c.known.Causes(s)
	for i, cause := range all {
		if i == maxCauses {
			lines = append(lines, fmt.Sprintf("and %s", plural(len(all)-i, "other cause")))
			break
		}
		lines = append(lines, c.line(cause))
	}
	return lines
}

func (c *causes) line(cause highstate.Cause) string {
	const most = 6 // that are named; of a longer way its ends
	var names []string
	for i, name := range cause.Chain {
		if len(cause.Chain) > most && i >= most/2 && i < len(cause.Chain)-most/2 {
			if i == most/2 {
				names = append(names, "…")
			}
			continue
		}
		names = append(names, sanitize.Line(sanitize.Clip(name, maxName)))
	}
	text, root := strings.Join(names, " → "), cause.State
	if root == nil {
		return text + ", of which Salt says no more"
	}
	why, ok := c.reasons[root]
	if !ok {
		why = reason(root)
		c.reasons[root] = why
	}
	return fmt.Sprintf("%s (%s): %s", text, foldedLine(root.Function), why)
}

// missingText is how Salt begins where a requisite is in no SLS (salt 3005,
// State.call_chunk); what is missing comes in lines of its
// own. Later versions do not compile that.
const missingText = "The following requisites were not found:"

// reason returns in a line why a state failed: the first line of its comment, or
// what is missing, and the last line that a command wrote as an error.
func reason(s *highstate.State) string {
	text, said := reasons(s)
	return oneLine(joined(text, said))
}

// reasons returns the two parts of a reason, of which at least one is not empty.
func reasons(s *highstate.State) (text, said string) {
	comment := strings.TrimSpace(s.Comment)
	if strings.HasPrefix(comment, missingText) {
		return strings.Join(strings.Fields(sanitize.Clip(comment, maxLine)), " "), ""
	}
	text, _, _ = strings.Cut(comment, "\n")
	if said = lastLine(stderr(s)); text+said == "" {
		text = "Salt gives no reason"
	}
	return text, said
}

// joined returns both parts of a reason, or the one that there is.
func joined(text, said string) string {
	if text == "" || said == "" {
		return text + said
	}
	return strings.TrimRight(text, ".:") + ": " + said
}

// stderr returns what a command wrote as an error, or "".
func stderr(s *highstate.State) string {
	for key, value := range rawjson.Members(rawjson.View(s.Changes)) {
		if key == "stderr" && rawjson.First(value) == '"' {
			return trimRight(rawjson.Text(value))
		}
	}
	return ""
}

func lastLine(s string) string { return strings.TrimSpace(s[strings.LastIndexByte(s, '\n')+1:]) }

// Sizes of what a line tells of a root, in bytes as they came.
const (
	maxRoot    = 200
	maxRootID  = 60
	maxCommand = 80 // of a comment before what a command wrote
)

// root returns what failed first by itself, and why: "nginx (service.running): no
// such unit". It returns "" if no state failed.
func (m *Minion) root() string {
	if m.details.root != "" {
		return m.details.root
	}
	if s := highstate.Root(m.States); s != nil {
		return rootLine(s)
	}
	return ""
}

// rootLine tells of a state that failed, in a short line.
func rootLine(s *highstate.State) string {
	line := clipped(s.ID, maxRootID)
	if s.Function != "" {
		line += " (" + clipped(s.Function, maxRootID) + ")"
	}
	text, said := reasons(s)
	if said != "" {
		text = clipped(text, maxCommand)
	}
	return sanitize.Line(line + ": " + clipped(joined(text, said), maxRoot-len(line)))
}

// clipped returns the beginning of the first line of a text.
func clipped(s string, most int) string {
	first, _, more := strings.Cut(strings.TrimSpace(s), "\n")
	if len(first) <= most && !more {
		return first
	}
	return strings.TrimSpace(strings.ToValidUTF8(first[:min(len(first), most)], "")) + "…"
}

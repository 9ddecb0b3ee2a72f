package view

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// causes finds out why states did not run. It reads the reason of each state once.
type causes struct {
	states  []highstate.State
	known   *highstate.Requisites // made if a state needs it
	reasons map[*highstate.State]string
}

func causesOf(states []highstate.State) *causes { return &causes{states: states} }

// maxID is the size of a name in a line, in bytes before escapes.
const maxID = 255

// maxCauses is how many causes of a state are shown.
const maxCauses = 3

// because returns a line for each cause of a state that did not run because others
// failed. It returns none for other states.
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
			lines = append(lines, fmt.Sprintf("and %s", human.Plural(len(all)-i, "other cause")))
			break
		}
		lines = append(lines, c.line(cause))
	}
	return lines
}

func (c *causes) line(cause highstate.Cause) string {
	const most = 6 // names; a longer chain shows its ends
	var names []string
	for i, name := range cause.Chain {
		if len(cause.Chain) > most && i >= most/2 && i < len(cause.Chain)-most/2 {
			if i == most/2 {
				names = append(names, "…")
			}
			continue
		}
		names = append(names, sanitize.Line(sanitize.Clip(name, maxID)))
	}
	text, root := strings.Join(names, " → "), cause.State
	if root == nil {
		return text + ", of which Salt says no more"
	}
	why, ok := c.reasons[root]
	if !ok {
		why = root.Reason()
		c.reasons[root] = why
	}
	return fmt.Sprintf("%s (%s): %s", text, foldedLine(root.Function), why)
}

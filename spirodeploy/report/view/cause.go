package view

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// causes finds out why states did not run. It reads the reason of each state once.
type causes struct {
	known   *highstate.Requisites
	reasons map[*highstate.State]string
}

func causesOf(states []highstate.State) *causes {
	return &causes{highstate.NewRequisites(states), map[*highstate.State]string{}}
}

// explained yields the states that a view shows, with a line for each cause.
func explained(states []highstate.State, shows func(*highstate.State) bool) iter.Seq2[*highstate.State, []string] {
	return func(yield func(*highstate.State, []string) bool) {
		c := causesOf(states)
		for i := range states {
			if s := &states[i]; shows(s) && !yield(s, c.because(s)) {
				return
			}
		}
	}
}

func isBad(s *highstate.State) bool { return s.Outcome == highstate.Bad }

func isAny(*highstate.State) bool { return true }

const (
	maxID     = 255 // of a name in a line, in bytes before escapes
	maxCauses = 3   // of a state
	maxChain  = 6   // names; a longer chain shows its ends
)

// because returns a line for each cause of a state that did not run because others
// failed. It returns none for other states.
func (c *causes) because(s *highstate.State) []string {
	all := c.known.Causes(s)
	lines := each(first(all, maxCauses), c.line)
	if left := len(all) - len(lines); left > 0 {
		lines = append(lines, "and "+human.Plural(left, "other cause"))
	}
	return lines
}

func (c *causes) line(cause highstate.Cause) string {
	names, root := cause.Chain, cause.State
	if n := len(names); n > maxChain {
		names = slices.Concat(names[:maxChain/2], []string{"…"}, names[n-maxChain/2:])
	}
	text := strings.Join(each(names, func(name string) string { return sanitize.Line(sanitize.Clip(name, maxID)) }), " → ")
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

package spirotest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Minion is one scripted Salt minion. A deployment concerns it if top.sls has,
// below PROJECT/DEPLOYMENT, a target that Salt would match to its id, or one of
// its Targets. All minions concerned by a deployment run at the same time.
type Minion struct {
	// ID is the minion's id.
	ID string

	// Targets are further target expressions of top.sls that match this
	// minion, or words of compound ones, character by character:
	// "G@roles:web". What is not in the list does not match.
	Targets []string

	// Delay is how long the minion takes to report. By default it reports at
	// once; equal delays report in the order of the list.
	Delay time.Duration

	// Result is what Salt returned for the minion: the "result" of its event.
	// See [States], [NotCompiled] and [NoAnswer]. Anything else is marshalled
	// with encoding/json; a json.RawMessage is sent as it is, valid or not,
	// except that a line break in it becomes a space. The default is a
	// highstate in which everything succeeded.
	Result any

	// Silent makes the minion one that is named in highstate-start and never
	// reports.
	Silent bool
}

// ids is never nil: Python writes no minions as [].
func ids(minions []Minion) []string {
	list := make([]string, len(minions))
	for i, m := range minions {
		list[i] = m.ID
	}
	return list
}

func startMessage(minions []Minion) string {
	if len(minions) == 0 {
		return "No minions to highstate"
	}
	return fmt.Sprintf("Highstating %d minions: %s", len(minions), strings.Join(ids(minions), ", "))
}

// reporting are the minions in the order in which they report.
func reporting(minions []Minion) []Minion {
	list := slices.DeleteFunc(slices.Clone(minions), func(m Minion) bool { return m.Silent })
	slices.SortStableFunc(list, func(a, b Minion) int { return cmp.Compare(a.Delay, b.Delay) })
	return list
}

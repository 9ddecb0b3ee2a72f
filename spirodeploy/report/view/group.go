package view

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// group is minions that did the same, or failed in the same way. Views read the result
// of the first one again, since there may be as many groups as minions.
type group struct {
	minions []*report.Minion // in their order
	longest highstate.Milliseconds
	mixed   bool   // whether states failed alike, and other states differ
	whole   uint64 // a hash of what the first one did
}

// failuresOf returns the minions that did not succeed, in groups that failed in the same
// way. Large groups come first, and minions that did not report come last.
func failuresOf(t *report.Target) []*group {
	_, bad := split(t.Minions, (*report.Minion).OK)
	silent, told := split(groupsOf(bad), (*group).silent)
	return append(largestFirst(told), silent...)
}

func largestFirst(groups []*group) []*group {
	return slices.SortedStableFunc(slices.Values(groups), func(a, b *group) int { return cmp.Compare(len(b.minions), len(a.minions)) })
}

// groupsOf returns minions in groups, in the order of their first ones: minions that
// succeeded and did the same, and minions that failed in the same way.
func groupsOf(minions []*report.Minion) []*group {
	var (
		all   []*group
		r     sameReader
		known = map[uint64]*group{}
	)
	for _, m := range minions {
		whole, key := r.read(m)
		g := known[key]
		if g == nil {
			g = &group{whole: whole}
			known[key] = g
			all = append(all, g)
		}
		g.minions = append(g.minions, m)
		g.longest = max(g.longest, m.Counts.Duration)
		g.mixed = g.mixed || g.whole != whole
	}
	return all
}

// sameReader reads what minions did, and how they failed.
type sameReader struct {
	all, bad maphash.Hash // with seeds that no server knows
	results  report.Results
}

// read returns hashes of everything to show. They are equal for minions that did the same,
// or failed in the same way.
func (sr *sameReader) read(m *report.Minion) (whole, failure uint64) {
	sr.all.Reset()
	sr.bad.Reset()
	r, err := sr.results.Telling(m)
	says := slices.Clip(r.Messages)
	if err != nil {
		says = append(says, err.Error())
	}
	if m.Counts.Failed == 0 && !m.OK() {
		says = append(says, strconv.Itoa(m.Retcode)) // which may be all that it says
	}
	c := m.Counts
	c.Duration = 0
	writeTo(&sr.all, append(says, fmt.Sprint(m.Status, c)))
	writeTo(&sr.bad, append(says, fmt.Sprint(m.Status, c.Failed)))
	for i := range r.States {
		s := &r.States[i]
		if !s.Telling() {
			continue
		}
		parts := sameParts(s)
		writeTo(&sr.all, parts)
		if isBad(s) {
			writeTo(&sr.bad, parts)
		}
	}
	if m.OK() || m.Counts.Failed == 0 || err != nil { // only the numbers are known
		return sr.all.Sum64(), sr.all.Sum64()
	}
	return sr.all.Sum64(), sr.bad.Sum64()
}

func writeTo(hash *maphash.Hash, texts []string) {
	for _, text := range texts {
		_, _ = hash.WriteString(text) // it cannot fail
		_ = hash.WriteByte(0xff)      // which no text contains
	}
}

// sameParts returns the parts of a state that are equal on minions that did the same. It
// leaves out durations, process ids and the order of failed requisites, which Salt takes
// from a set.
func sameParts(s *highstate.State) []string {
	parts := []string{s.ID, s.Function, s.Name, s.SLS, string(s.Outcome)}
	if s.LacksRequisite() {
		_, list, _ := strings.Cut(strings.TrimSpace(s.Comment), ": ")
		parts = append(parts, slices.Sorted(strings.SplitSeq(list, ", "))...)
	} else {
		parts = append(parts, s.Comment)
	}
	parts = append(parts, s.Warnings...)
	changes := rawjson.Compact(rawjson.View(s.Changes)) // as a report's temporary file has them
	if !strings.HasPrefix(s.Function, "cmd.") || rawjson.First(changes) != '{' {
		return append(parts, changes)
	}
	for key, value := range rawjson.Members(changes) {
		if key != "pid" {
			parts = append(parts, key, value)
		}
	}
	return parts
}

// first returns the minion that stands for all.
func (g *group) first() *report.Minion { return g.minions[0] }

func (g *group) ok() bool { return g.first().OK() }

// outcome says in a few words what the minions did.
func (g *group) outcome() string {
	m := g.first()
	switch {
	case g.mixed:
		return fmt.Sprintf("Failed: %d", m.Counts.Failed)
	case m.OK():
		return succeeded(m.Counts)
	case m.Status != highstate.Failed && m.Status != highstate.NotCompiled:
		return statuses[m.Status].Words
	case m.Counts.Total == 0:
		return "Failed: no state ran"
	case m.Counts.Failed == 0:
		return fmt.Sprintf("Failed: Salt's return code is %d", m.Retcode)
	}
	return fmt.Sprintf("Failed: %d of %d", m.Counts.Failed, m.Counts.Total)
}

// silent reports whether the minions did not report.
func (g *group) silent() bool { return g.first().Status == highstate.Unreported }

// failures returns how many failures a minion that failed shows: states, or the minion
// itself.
func (g *group) failures() int { return max(1, g.first().Counts.Failed) }

// names returns the minions in up to so many parts: all of them, or some and how many more
// there are. For several it adds their number.
func (g *group) names(most int, name func(id string) string) string {
	names, rest := g.named(most, name)
	return strings.Join(names, ", ") + rest
}

// named returns the names and what follows them.
func (g *group) named(most int, name func(id string) string) (names []string, rest string) {
	n := len(g.minions)
	shown := g.minions
	if n > most {
		shown = shown[:most-1]
		rest = fmt.Sprintf(" and %s more", human.Thousands(n-len(shown)))
	}
	if n > 1 {
		rest += fmt.Sprintf(" (%s)", human.Plural(n, "minion"))
	}
	return each(shown, func(m *report.Minion) string { return name(m.ID) }), rest
}

// chosen returns up to so many of the groups. It prefers groups that failed, then large
// ones, and returns those that failed last.
func chosen(groups []*group, most int) []*group {
	good, bad := split(groups, (*group).ok)
	picked := first(append(largestFirst(bad), largestFirst(good)...), most)
	return slices.DeleteFunc(slices.Concat(good, bad), func(g *group) bool { return !slices.Contains(picked, g) })
}

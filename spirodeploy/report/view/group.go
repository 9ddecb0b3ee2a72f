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
	mixed   bool     // whether states failed alike, and other states differ
	whole   sameness // of the first
}

// sameness is equal for minions that did the same.
type sameness struct {
	status highstate.Status
	counts highstate.Counts // without the duration
	told   uint64           // a hash of everything to show
}

// failuresOf returns the minions that did not succeed, in groups that failed in the same
// way. Large groups come first, and minions that did not report come last.
func failuresOf(t *report.Target) []*group {
	bad := slices.DeleteFunc(slices.Clone(t.Minions), (*report.Minion).OK)
	all := groupsOf(bad)
	slices.SortStableFunc(all, func(a, b *group) int { return cmp.Compare(b.weight(), a.weight()) })
	return all
}

// groupsOf returns minions in groups, in the order of their first ones: minions that
// succeeded and did the same, and minions that failed in the same way.
func groupsOf(minions []*report.Minion) []*group {
	var (
		all   []*group
		r     sameReader
		known = map[sameness]*group{}
	)
	for _, m := range minions {
		whole, key := r.read(m)
		if m.OK() {
			key = whole
		}
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

func (sr *sameReader) read(m *report.Minion) (whole, failure sameness) {
	sr.all.Reset()
	sr.bad.Reset()
	r, err := sr.results.Telling(m)
	says := r.Messages
	if err != nil {
		says = append([]string{err.Error()}, says...)
	}
	if m.Counts.Failed == 0 && !m.OK() {
		says = append(slices.Clip(says), strconv.Itoa(m.Retcode)) // which may be all that it says
	}
	for _, text := range says {
		writeTo(&sr.all, text)
		writeTo(&sr.bad, text)
	}
	for i := range r.States {
		s := &r.States[i]
		if s.Telling() {
			writeSame(s, &sr.all)
		}
		if s.Outcome == highstate.Bad {
			writeSame(s, &sr.bad)
		}
	}
	whole = sameness{status: m.Status, counts: m.Counts, told: sr.all.Sum64()}
	whole.counts.Duration = 0
	if m.Counts.Failed == 0 || err != nil { // only the numbers are known
		return whole, whole
	}
	return whole, sameness{m.Status, highstate.Counts{Failed: m.Counts.Failed}, sr.bad.Sum64()}
}

func writeTo(hash *maphash.Hash, text string) {
	_, _ = hash.WriteString(text) // it cannot fail
	_ = hash.WriteByte(0xff)      // which no text contains
}

// writeSame writes the parts of a state that are equal on minions that did the same. It
// leaves out durations, process ids and the order of failed requisites, which Salt takes
// from a set.
func writeSame(s *highstate.State, hash *maphash.Hash) {
	write := func(text string) { writeTo(hash, text) }
	for _, text := range []string{s.ID, s.Function, s.Name, s.SLS, string(s.Outcome)} {
		write(text)
	}
	if s.LacksRequisite() {
		_, list, _ := strings.Cut(strings.TrimSpace(s.Comment), ": ")
		names := strings.Split(list, ", ")
		slices.Sort(names)
		for _, name := range names {
			write(name)
		}
	} else {
		write(s.Comment)
	}
	for _, warning := range s.Warnings {
		write(warning)
	}
	text := rawjson.View(s.Changes)
	if !strings.HasPrefix(s.Function, "cmd.") || rawjson.First(text) != '{' {
		write(text)
		return
	}
	for key, value := range rawjson.Members(text) {
		if key != "pid" {
			write(key)
			write(value)
		}
	}
}

// first returns the minion that stands for all.
func (g *group) first() *report.Minion { return g.minions[0] }

func (g *group) ok() bool { return g.first().OK() }

// outcome says in a few words what the minions did.
func (g *group) outcome() string {
	if g.mixed {
		return fmt.Sprintf("Failed: %d", g.first().Counts.Failed)
	}
	return outcomeOfMinion(g.first())
}

// silent reports whether the minions did not report.
func (g *group) silent() bool { return g.first().Status == highstate.Unreported }

// weight orders failures. The largest comes first.
func (g *group) weight() int {
	if g.silent() {
		return 0
	}
	return len(g.minions)
}

// failures returns how many failures a minion shows: states, or the minion itself.
func (g *group) failures() int {
	if g.ok() {
		return 0
	}
	return max(1, g.first().Counts.Failed)
}

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
	for _, m := range shown {
		names = append(names, name(m.ID))
	}
	if n > 1 {
		rest += fmt.Sprintf(" (%s)", human.Plural(n, "minion"))
	}
	return names, rest
}

// chosen returns up to so many of the groups. It prefers groups that failed, then large
// ones, and returns those that failed last.
func chosen(groups []*group, most int) []*group {
	order := make([]int, len(groups))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := groups[i], groups[j]
		return cmp.Or(cmp.Compare(min(b.failures(), 1), min(a.failures(), 1)), cmp.Compare(len(b.minions), len(a.minions)))
	})
	order = order[:min(len(order), most)]
	slices.Sort(order)
	var good, bad []*group
	for _, i := range order {
		if g := groups[i]; g.ok() {
			good = append(good, g)
		} else {
			bad = append(bad, g)
		}
	}
	return append(good, bad...)
}

package report

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
)

// group is minions that did the very same, or failed in the very same way. What
// that was is read again from the first of them: there may be as many groups as
// minions.
type group struct {
	minions []*Minion // in their order
	longest highstate.Milliseconds
	mixed   bool     // whether states of theirs failed alike, and others did not do the same
	whole   sameness // of the first
}

// sameness is equal for minions that did the same.
type sameness struct {
	status highstate.Status
	counts highstate.Counts // without the duration
	told   uint64           // a hash of what there is to tell
}

// groups returns the minions in groups, in the order of their first ones: those
// that succeeded with others that did the very same, and those that did not with
// others that failed in the very same way.
func (t *Target) groups() []*group {
	return groupsOf(t.Minions, func(*Minion) bool { return true })
}

// failures returns the groups that did not succeed: large ones first, and those
// last of which nothing was heard.
func (t *Target) failures() []*group {
	all := groupsOf(t.Minions, func(m *Minion) bool { return !m.OK() })
	slices.SortStableFunc(all, func(a, b *group) int { return cmp.Compare(b.weight(), a.weight()) })
	return all
}

func groupsOf(minions []*Minion, wanted func(*Minion) bool) []*group {
	var (
		all   []*group
		r     sameReader
		known = map[sameness]*group{}
	)
	for _, m := range minions {
		if !wanted(m) {
			continue
		}
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

// sameReader reads what minions have to tell: all of it, and how they failed.
type sameReader struct {
	all, bad maphash.Hash // whose seeds no server knows
	buf      []byte
}

func (sr *sameReader) read(m *Minion) (whole, failure sameness) {
	sr.all.Reset()
	sr.bad.Reset()
	r, err := m.readTelling(&sr.buf)
	says := r.Messages
	if err != nil {
		says = append([]string{err.Error()}, says...)
	}
	if m.Counts.Failed == 0 && !m.OK() {
		says = append(slices.Clip(says), strconv.Itoa(m.Retcode)) // which may be all there is
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
	if m.Counts.Failed == 0 || err != nil { // where the numbers are all that is known
		return whole, whole
	}
	return whole, sameness{m.Status, highstate.Counts{Failed: m.Counts.Failed}, sr.bad.Sum64()}
}

func writeTo(hash *maphash.Hash, text string) {
	_, _ = hash.WriteString(text) // it cannot fail
	_ = hash.WriteByte(0xff)      // which is in no text
}

// writeSame writes what is the same of a state on minions where it did the same:
// neither durations nor numbers of processes, nor the order of failed requisites,
// which Salt has from a set.
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

// first returns one of the minions, which stands for the others.
func (g *group) first() *Minion { return g.minions[0] }

func (g *group) ok() bool { return g.first().OK() }

// outcome says in a few words how the minions did.
func (g *group) outcome() string {
	if g.mixed {
		return fmt.Sprintf("Failed: %d", g.first().Counts.Failed)
	}
	return g.first().outcome()
}

// silent reports whether nothing was heard of the minions.
func (g *group) silent() bool { return g.first().Status == highstate.Unreported }

// weight says which failures are told first.
func (g *group) weight() int {
	if g.silent() {
		return 0
	}
	return len(g.minions)
}

// failures returns how many there are to tell of: of states, or that of the minion.
func (g *group) failures() int {
	if g.ok() {
		return 0
	}
	return max(1, g.first().Counts.Failed)
}

// names returns the minions in words: all, or some and how many more there are, so that it
// has no more than so many parts; and of several it tells the number.
func (g *group) names(most int, name func(id string) string) string {
	names, rest := g.named(most, name)
	return strings.Join(names, ", ") + rest
}

// named returns the names of such minions, and what follows them.
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
		rest += fmt.Sprintf(" (%s)", plural(n, "minion"))
	}
	return names, rest
}

// chosen returns no more than so many of the groups, those that failed last: the
// ones that failed are chosen first, and then the large ones.
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

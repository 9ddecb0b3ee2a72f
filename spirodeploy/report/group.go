package report

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// group is minions that did the very same, or failed in the very same way. What
// that was is read again from the first of them: there may be as many groups as
// minions.
type group struct {
	minions []*Minion // in their order
	longest highstate.Milliseconds
}

// sameness is equal for minions that did the same.
type sameness struct {
	status highstate.Status
	counts highstate.Counts // without the duration
	told   uint64           // a hash of what there is to tell
}

// groups returns the minions in groups of those that did the very same, in the
// order of their first ones.
func (t *Target) groups() []*group {
	return t.groupBy(func(*Minion) bool { return true }, (*Minion).sameness)
}

// failures returns the minions that did not succeed, in groups of those that
// failed in the very same way, whatever else they did: large ones first, and those
// last of which nothing was heard.
func (t *Target) failures() []*group {
	all := t.groupBy(func(m *Minion) bool { return !m.OK() }, (*Minion).failure)
	slices.SortStableFunc(all, func(a, b *group) int {
		return cmp.Compare(b.weight(), a.weight())
	})
	return all
}

func (t *Target) groupBy(of func(*Minion) bool, by func(*Minion, *maphash.Hash, *[]byte) sameness) []*group {
	var (
		all   []*group
		buf   []byte
		hash  maphash.Hash // whose seed no server knows
		known = map[sameness]*group{}
	)
	for _, m := range t.Minions {
		if !of(m) {
			continue
		}
		key := by(m, &hash, &buf)
		g := known[key]
		if g == nil {
			g = new(group)
			known[key] = g
			all = append(all, g)
		}
		g.minions = append(g.minions, m)
		g.longest = max(g.longest, m.Counts.Duration)
	}
	return all
}

// sameness reads what there is to tell of a minion.
func (m *Minion) sameness(hash *maphash.Hash, buf *[]byte) sameness {
	key := sameness{status: m.Status, counts: m.Counts}
	key.told, _ = m.told(hash, buf, (*highstate.State).Telling)
	key.counts.Duration = 0
	return key
}

// failure reads what there is to tell of how a minion failed.
func (m *Minion) failure(hash *maphash.Hash, buf *[]byte) sameness {
	told, err := m.told(hash, buf, func(s *highstate.State) bool { return s.Outcome == highstate.Bad })
	key := sameness{status: m.Status, counts: m.Counts, told: told}
	key.counts.Duration = 0
	if err == nil { // else the numbers are all that is known
		key.counts = highstate.Counts{Failed: m.Counts.Failed, Total: min(m.Counts.Total, 1)}
	}
	return key
}

// told returns a hash of what a minion has to tell, and of some of its states.
func (m *Minion) told(hash *maphash.Hash, buf *[]byte, of func(*highstate.State) bool) (uint64, error) {
	hash.Reset()
	write := func(s string) {
		_, _ = hash.WriteString(s) // it cannot fail
		_ = hash.WriteByte(0xff)   // which is in no text
	}
	r, err := m.readTelling(buf)
	if err != nil {
		write(err.Error())
	}
	if m.Counts.Failed == 0 {
		write(fmt.Sprint(m.Retcode)) // why it failed, if it did
	}
	for _, msg := range r.Messages {
		write(msg)
	}
	for i := range r.States {
		if s := &r.States[i]; of(s) {
			writeSame(s, write)
		}
	}
	return hash.Sum64(), err
}

// writeSame writes what is the same of a state on minions where it did the same:
// neither durations nor numbers of processes, nor the order of failed requisites,
// which Salt has from a set.
func writeSame(s *highstate.State, write func(string)) {
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

// names names the minions: all, or some and how many more there are, so that it
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
		rest = fmt.Sprintf(" and %s more", plain.Thousands(n-len(shown)))
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

package report

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// group is minions that did the very same. What that was is read again from the
// first of them: there may be as many groups as minions.
type group struct {
	first   []*Minion // no more than maxFirst
	count   int
	longest highstate.Milliseconds
}

// maxFirst is how many minions of a group are named.
const maxFirst = 4

// sameness is equal for minions that did the same.
type sameness struct {
	status highstate.Status
	counts highstate.Counts // without the duration
	told   uint64           // a hash of what there is to tell
}

// groups returns the minions in groups, in the order of their first ones.
func (t *Target) groups() []*group {
	var (
		all  []*group
		buf  []byte
		hash maphash.Hash // whose seed no server knows
		by   = map[sameness]*group{}
	)
	for _, m := range t.Minions {
		key := m.sameness(&hash, &buf)
		g := by[key]
		if g == nil {
			g = new(group)
			by[key] = g
			all = append(all, g)
		}
		g.add(m)
	}
	return all
}

func (g *group) add(m *Minion) {
	if g.count < maxFirst {
		g.first = append(g.first, m)
	}
	g.count++
	g.longest = max(g.longest, m.Counts.Duration)
}

func (g *group) ok() bool { return g.first[0].OK() }

// failures returns how many there are to tell of: of states, or that of the minion.
func (g *group) failures() int {
	if g.ok() {
		return 0
	}
	return max(1, g.first[0].Counts.Failed)
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
		return cmp.Or(cmp.Compare(min(b.failures(), 1), min(a.failures(), 1)), cmp.Compare(b.count, a.count))
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

// minionNames names minions of which the first are given: all, or some and how
// many there are.
func minionNames(first []*Minion, count int) string {
	names := make([]string, 0, maxFirst)
	for _, m := range first {
		names = append(names, oneLine(m.ID))
	}
	switch {
	case count == 1:
		return names[0]
	case count <= len(names):
		return fmt.Sprintf("%s (%d minions)", strings.Join(names, ", "), count)
	}
	names = names[:maxFirst-1]
	return fmt.Sprintf("%s and %d more (%d minions)", strings.Join(names, ", "), count-len(names), count)
}

// sameness reads what there is to tell of a minion.
func (m *Minion) sameness(hash *maphash.Hash, buf *[]byte) sameness {
	hash.Reset()
	write := func(s string) {
		_, _ = hash.WriteString(s) // it cannot fail
		_ = hash.WriteByte(0xff)   // which is in no text
	}
	r, err := m.readTelling(buf)
	if err != nil {
		write(err.Error())
	}
	for _, msg := range r.Messages {
		write(msg)
	}
	for i := range r.States {
		if s := &r.States[i]; s.Telling() {
			writeSame(s, write)
		}
	}
	key := sameness{status: m.Status, counts: m.Counts, told: hash.Sum64()}
	key.counts.Duration = 0
	return key
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

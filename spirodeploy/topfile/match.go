package topfile

import (
	"regexp"
	"slices"
	"strings"
)

// An Answer says whether a target matches, as far as it can be known without
// asking the minion.
type Answer uint8

// Maybe means that grains, pillar, node groups and the like decide. Yes and No hold for
// all values of these.
const (
	No Answer = iota
	Maybe
	Yes
)

func answer(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// maxWords bounds an expression. A longer one may match anything.
const maxWords = 1000

// engine is how Salt tells what a word of a compound target is about
// (TARGET_REX in salt/utils/minions.py).
var engine = regexp.MustCompile(`^(?:[GPIJ].?|[LNSER])@(.+)$`)

// lookalike is what a person takes for an engine, although Salt knows none of
// that letter and so takes it for an id.
var lookalike = regexp.MustCompile(`^[A-Z].?@`)

// Matches tells whether the target matches the minion with an id. Known says
// which words beyond ids match it (G@os:Debian, for example), or which whole
// expression of another match type. Without it, those may match.
func (t Target) Matches(id string, known func(word string) bool) Answer { return t.Matcher(known)(id) }

// Matcher returns Matches for many ids, for which it reads the target once.
func (t Target) Matcher(known func(word string) bool) func(id string) Answer {
	other := maybe
	if known != nil {
		other = func(word string) Answer { return answer(known(word)) }
	}
	x := t.compile()
	return func(id string) Answer { return x.match(id, other) }
}

// Expected returns the ids that the target matches whatever the grains of their
// minions are, in the order in which it names them.
func (t Target) Expected() []string {
	x := t.compile()
	var ids []string
	for _, w := range x.words {
		ids = append(ids, w.ids...)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "" || spaced(id) || x.match(id, maybe) != Yes })
	return once(ids, func(id string) string { return id })
}

// spaced tells whether an id has white space around it, as no minion's has.
func spaced(id string) bool { return strings.TrimSpace(id) != id }

func maybe(string) Answer { return Maybe }

// wellFormed tells whether Salt can evaluate a compound target: with words that all may
// match, only an expression that it cannot evaluate is a No.
func (t Target) wellFormed() bool {
	return t.compile().eval(func(word) Answer { return Maybe }) != No
}

// An expression is what a target says, read once for any number of ids.
type expression struct {
	words []word
	tree  *node // nil matches no minion
}

// A word is a part of a target that matches a minion or not.
type word struct {
	text    string
	matches func(id string) bool // nil if more than the id decides
	ids     []string             // that it names
	part    bool                 // it stands for any part of an expression
}

// compile reads the target. All but a compound one is one word.
func (t Target) compile() expression {
	texts := strings.Fields(t.Expression)
	one := word{text: t.Expression}
	switch {
	case !t.text: // Salt's matchers take texts
		return expression{}
	case t.Match == "glob":
		one = globWord(t.Expression)
	case t.Match == "list":
		one = listWord(t.Expression, t.Expression)
	case t.Match == "compound" && len(texts) <= maxWords:
		return compound(texts)
	}
	return expression{[]word{one}, &node{op: isWord}}
}

func globWord(text string) word {
	w := word{text: text, matches: glob(text)}
	if !isGlob(text) {
		w.ids = []string{text}
	}
	return w
}

func listWord(text, list string) word {
	w, has := word{text: text, ids: strings.Split(list, ",")}, map[string]bool{}
	for _, id := range w.ids {
		has[id] = true
	}
	w.matches = func(id string) bool { return has[id] }
	return w
}

func compoundWord(text string) word {
	pattern := engine.FindStringSubmatch(text)
	switch {
	case pattern == nil:
		w := globWord(text)
		if lookalike.MatchString(text) {
			w.ids = nil
		}
		return w
	case text[0] == 'L':
		return listWord(text, pattern[1])
	default: // a node group or a range stands for any part of an expression
		return word{text: text, part: text[0] == 'N' || text[0] == 'R'}
	}
}

func (x expression) match(id string, other func(string) Answer) Answer {
	return x.eval(func(w word) Answer {
		if w.matches == nil {
			return other(w.text)
		}
		return answer(w.matches(id))
	})
}

func (x expression) eval(answer func(word) Answer) Answer {
	answers := make([]Answer, len(x.words))
	for i, w := range x.words {
		if answers[i] = answer(w); w.part && answers[i] == Maybe {
			return Maybe
		}
	}
	return x.tree.eval(answers)
}

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
func (t Target) Matches(id string, known func(word string) bool) Answer {
	if known == nil {
		return t.match(id, maybe)
	}
	return t.match(id, func(word string) Answer { return answer(known(word)) })
}

func (t Target) match(id string, other func(word string) Answer) Answer {
	switch {
	case !t.text:
		return No // Salt's matchers take texts
	case t.Match == "glob":
		return answer(glob(t.Expression)(id))
	case t.Match == "list":
		return answer(slices.Contains(strings.Split(t.Expression, ","), id))
	case t.Match == "compound":
		return compile(t.Expression).match(id, other)
	default:
		return other(t.Expression)
	}
}

// ids returns the ids that the target names, each once and in order, whether it
// matches them or not.
func (t Target) ids() []string {
	var ids []string
	switch {
	case !t.text:
	case t.Match == "glob" && !isGlob(t.Expression):
		ids = []string{t.Expression}
	case t.Match == "list":
		ids = strings.Split(t.Expression, ",")
	case t.Match == "compound":
		for _, w := range compile(t.Expression).words {
			switch {
			case w.engine == "L":
				ids = append(ids, strings.Split(w.text[len("L@"):], ",")...)
			case !w.operator && w.engine == "" && !lookalike.MatchString(w.text) && !isGlob(w.text):
				ids = append(ids, w.text)
			}
		}
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "" || spaced(id) })
	return once(ids, func(id string) string { return id })
}

// spaced tells whether an id has white space around it, as no minion's has.
func spaced(id string) bool { return strings.TrimSpace(id) != id }

func maybe(string) Answer { return Maybe }

// Expected returns the ids that the target matches whatever the grains of their
// minions are, in the order in which it names them.
func (t Target) Expected() []string {
	ids := t.ids()
	if t.Match != "compound" {
		return ids
	}
	expression := compile(t.Expression)
	return slices.DeleteFunc(ids, func(id string) bool { return expression.match(id, maybe) != Yes })
}

// operators join the words of a compound target.
var operators = []string{"and", "or", "not", "(", ")"}

// A compoundExpression is a compound target, read once for any number of ids.
type compoundExpression struct {
	words []compoundWord
	long  bool // it has more words than what is read, and none is in words
}

type compoundWord struct {
	text     string
	operator bool
	engine   string // a letter, or nothing for an id or a glob of ids
	matches  func(id string) bool
}

func compile(expression string) compoundExpression {
	all := strings.Fields(expression)
	if len(all) > maxWords {
		return compoundExpression{long: true}
	}
	var c compoundExpression
	for _, text := range all {
		w := compoundWord{text: text, operator: slices.Contains(operators, text)}
		pattern := engine.FindStringSubmatch(text)
		switch {
		case w.operator:
		case pattern == nil:
			w.matches = glob(text)
		case text[0] == 'L':
			ids := map[string]bool{}
			for _, id := range strings.Split(pattern[1], ",") {
				ids[id] = true
			}
			w.engine, w.matches = "L", func(id string) bool { return ids[id] }
		default:
			w.engine = text[:1]
		}
		c.words = append(c.words, w)
	}
	return c
}

func (c compoundExpression) match(id string, other func(string) Answer) Answer {
	return c.eval(func(w compoundWord) Answer {
		if w.matches == nil {
			return other(w.text)
		}
		return answer(w.matches(id))
	})
}

// eval evaluates an expression as Salt's compound matcher does
// (salt/matchers/compound_match.py): words and operators become an expression of
// Python. An expression that Python refuses matches no minion. A node group or a range
// stands for any part of an expression, so it makes the whole a Maybe.
func (c compoundExpression) eval(word func(compoundWord) Answer) Answer {
	if c.long {
		return Maybe
	}
	var p parser
	for _, w := range c.words {
		last := ""
		if n := len(p.tokens); n > 0 {
			last = p.tokens[n-1].operator
		}
		switch {
		case !w.operator:
			result := word(w)
			if (w.engine == "N" || w.engine == "R") && result == Maybe {
				return Maybe
			}
			p.tokens = append(p.tokens, token{answer: result})
			continue
		case len(p.tokens) == 0 && w.text != "(" && w.text != "not", last == "(" && (w.text == "and" || w.text == "or"):
			return No
		case w.text == "not" && len(p.tokens) > 0 && last != "and" && last != "or" && last != "(":
			p.tokens = append(p.tokens, token{operator: "and"})
		}
		p.tokens = append(p.tokens, token{operator: w.text})
	}
	result := p.or()
	if p.wrong || p.at < len(p.tokens) {
		return No
	}
	return result
}

// wellFormed tells whether Salt can evaluate a compound expression: with words that all
// may match, only an expression that it cannot evaluate is a No.
func wellFormed(expression string) bool {
	return compile(expression).eval(func(compoundWord) Answer { return Maybe }) != No
}

type token struct {
	operator string // "" for an answer
	answer   Answer
}

// A parser evaluates Python's and, or, not and parentheses in three values.
type parser struct {
	tokens []token
	at     int
	wrong  bool
}

func (p *parser) next(operator string) bool {
	if p.at < len(p.tokens) && p.tokens[p.at].operator == operator {
		p.at++
		return true
	}
	return false
}

func (p *parser) or() Answer {
	result := p.and()
	for p.next("or") {
		result = max(result, p.and())
	}
	return result
}

func (p *parser) and() Answer {
	result := p.not()
	for p.next("and") {
		result = min(result, p.not())
	}
	return result
}

func (p *parser) not() Answer {
	if p.next("not") {
		return Yes - p.not()
	}
	if p.next("(") {
		if p.next(")") {
			return No // an empty tuple
		}
		result := p.or()
		p.wrong = p.wrong || !p.next(")")
		return result
	}
	if p.at == len(p.tokens) || p.tokens[p.at].operator != "" {
		p.wrong = true
		p.at = len(p.tokens)
		return No
	}
	p.at++
	return p.tokens[p.at-1].answer
}

package topfile

import (
	"regexp"
	"slices"
	"strings"
)

// An Answer says whether a target matches, as far as it can be known without
// asking the minion.
type Answer uint8

// Maybe means that grains, pillar, node groups and the like decide. Yes and No
// hold whatever they are.
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
		return t.match(id, func(string) Answer { return Maybe })
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
		return compound(t.Expression, func(word string) Answer { return matchWord(word, id, other) }, other)
	default:
		return other(t.Expression)
	}
}

func matchWord(word, id string, other func(string) Answer) Answer {
	pattern := engine.FindStringSubmatch(word)
	switch {
	case pattern == nil:
		return answer(glob(word)(id))
	case word[0] == 'L':
		return answer(slices.Contains(strings.Split(pattern[1], ","), id))
	default:
		return other(word)
	}
}

// ids returns the ids that the target names, in order, whether it matches them or not.
func (t Target) ids() []string {
	var ids []string
	switch {
	case !t.text:
	case t.Match == "glob":
		ids = []string{t.Expression}
	case t.Match == "list":
		ids = strings.Split(t.Expression, ",")
	case t.Match == "compound":
		for _, word := range words(t.Expression) {
			if pattern := engine.FindStringSubmatch(word); pattern != nil && word[0] == 'L' {
				ids = append(ids, strings.Split(pattern[1], ",")...)
			} else if !operator(word) && !lookalike.MatchString(word) && !isGlob(word) {
				ids = append(ids, word)
			}
		}
	}
	return slices.DeleteFunc(ids, func(id string) bool {
		return id == "" || strings.TrimSpace(id) != id || t.Match == "glob" && isGlob(id)
	})
}

// Expected returns the ids that the target matches whatever the grains of their
// minions are, in the order in which it names them.
func (t Target) Expected() []string {
	return slices.DeleteFunc(t.ids(), func(id string) bool { return t.Matches(id, nil) != Yes })
}

// Unknown tells whether the target may match minions that are not in Expected.
func (t Target) Unknown() bool {
	for _, id := range t.ids() {
		if t.Matches(id, nil) == Maybe {
			return true
		}
	}
	// An id that nothing names, which a pattern may match all the same.
	switch {
	case !t.text || t.Match == "list":
		return false
	case t.Match == "glob":
		return isGlob(t.Expression)
	case t.Match == "compound":
		unknown := func(string) Answer { return Maybe }
		return compound(t.Expression, func(word string) Answer {
			if pattern := engine.FindStringSubmatch(word); pattern != nil {
				if word[0] == 'L' {
					return No
				}
				return Maybe
			}
			if isGlob(word) {
				return Maybe
			}
			return No
		}, unknown) != No
	default:
		return true
	}
}

func words(expression string) []string { return strings.Fields(expression) }

func operator(word string) bool {
	switch word {
	case "and", "or", "not", "(", ")":
		return true
	default:
		return false
	}
}

// compound evaluates a compound expression as Salt's compound matcher does
// (salt/matchers/compound_match.py): words and operators become an expression of
// Python, and what Python refuses matches nobody. Whole is asked about node groups
// and ranges, which stand for any part of an expression: an answer other than
// Maybe makes them a word.
func compound(expression string, word, whole func(string) Answer) Answer {
	all := words(expression)
	if len(all) > maxWords {
		return Maybe
	}
	var p parser
	for _, w := range all {
		last := ""
		if n := len(p.tokens); n > 0 {
			last = p.tokens[n-1].operator
		}
		switch {
		case !operator(w):
			if (strings.HasPrefix(w, "N@") || strings.HasPrefix(w, "R@")) && whole(w) == Maybe {
				return Maybe
			}
			p.tokens = append(p.tokens, token{answer: word(w)})
			continue
		case len(p.tokens) == 0 && w != "(" && w != "not", last == "(" && (w == "and" || w == "or"):
			return No
		case w == "not" && len(p.tokens) > 0 && last != "and" && last != "or" && last != "(":
			p.tokens = append(p.tokens, token{operator: "and"})
		}
		p.tokens = append(p.tokens, token{operator: w})
	}
	result := p.or()
	if p.wrong || p.at < len(p.tokens) {
		return No
	}
	return result
}

// wellFormed tells whether Salt can evaluate a compound expression.
func wellFormed(expression string) bool {
	ask := func(string) Answer { return Maybe }
	// Without its own operators no expression of words that may match is a No.
	return compound(expression, ask, ask) != No
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

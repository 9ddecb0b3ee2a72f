package topfile

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
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
	other := maybe
	if known != nil {
		other = func(word string) Answer { return answer(known(word)) }
	}
	return t.compile().match(id, other)
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
	tree  ast.Expr // numbers stand for words; nil matches no minion
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
	return expression{[]word{one}, &ast.BasicLit{Value: "0"}}
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

// operators join the words of a compound target. Those of Go have the precedence of
// Python's.
var operators = map[string]string{"and": "&&", "or": "||", "not": "!", "(": "(", ")": ")"}

// compound reads the words of a compound target as Salt does
// (salt/matchers/compound_match.py), which makes an expression of Python of them. Nothing
// matches one that Salt or Python refuses.
func compound(texts []string) expression {
	var x expression
	var source []string // of Go
	last := "("
	for i, text := range texts {
		operator, ok := operators[text]
		binary := text == "and" || text == "or"
		operand := last == "and" || last == "or" || last == "not" || last == "(" // follows
		switch {
		case !ok:
			operator = strconv.Itoa(len(x.words))
			x.words = append(x.words, compoundWord(text))
		case last == "(" && binary, i == 0 && text == ")":
			return x
		case text == "(" && !operand:
			operator = "refused" // Go would take it for a call
		case text == "not" && (!operand || last == "not"):
			source = append(source, "&&")
		case text == ")" && last == "(":
			source[len(source)-1], operator = "", "false" // an empty tuple
		}
		source = append(source, operator)
		last = text
	}
	if tree, err := parser.ParseExpr(strings.Join(source, " ")); err == nil {
		x.tree = tree
	}
	return x
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
	return eval(x.tree, answers)
}

// eval evaluates an expression in three values.
func eval(tree ast.Expr, words []Answer) Answer {
	switch e := tree.(type) {
	case *ast.BasicLit:
		i, _ := strconv.Atoi(e.Value)
		return words[i]
	case *ast.ParenExpr:
		return eval(e.X, words)
	case *ast.UnaryExpr:
		return Yes - eval(e.X, words)
	case *ast.BinaryExpr:
		x, y := eval(e.X, words), eval(e.Y, words)
		if e.Op == token.LAND {
			return min(x, y)
		}
		return max(x, y)
	default:
		return No
	}
}

package topfile

// operator is what a node of an expression does.
type operator uint8

const (
	isWord  operator = iota // the answer of a word
	isEmpty                 // (), which Python takes for false
	isNot                   // of x
	isAnd                   // of x and y
	isOr
	opens // opens and closes are parentheses, and no nodes
	closes
)

// operators are the words of a compound target that join others.
var operators = map[string]operator{"and": isAnd, "or": isOr, "not": isNot, "(": opens, ")": closes}

// node is a part of the expression of a compound target.
type node struct {
	op   operator
	word int // its number
	x, y *node
}

// eval evaluates an expression in three values.
func (n *node) eval(words []Answer) Answer {
	if n == nil {
		return No
	}
	switch n.op {
	case isWord:
		return words[n.word]
	case isNot:
		return Yes - n.x.eval(words)
	case isAnd:
		return min(n.x.eval(words), n.y.eval(words))
	case isOr:
		return max(n.x.eval(words), n.y.eval(words))
	default:
		return No
	}
}

// compound reads the words of a compound target as Salt does
// (salt/matchers/compound_match.py), which makes an expression of Python of them. Nothing
// matches one that Salt or Python refuses.
func compound(texts []string) expression {
	var x expression
	var in tokens
	refused := false
	last := opens
	for i, text := range texts {
		op, ok := operators[text]
		binary := op == isAnd || op == isOr
		operand := last != isWord && last != closes // follows
		switch {
		case !ok:
			op = isWord
			in = append(in, node{word: len(x.words)})
			x.words = append(x.words, compoundWord(text))
		case last == opens && binary, i == 0 && op == closes:
			return x
		case op == closes && last == opens:
			in[len(in)-1].op = isEmpty
		case op == isNot && (!operand || last == isNot):
			in = append(in, node{op: isAnd}, node{op: isNot})
		default:
			refused = refused || op == opens && !operand // Python would take it for a call
			in = append(in, node{op: op})
		}
		last = op
	}
	tree, ok := in.or()
	if ok && len(in) == 0 && !refused {
		x.tree = tree
	}
	return x
}

// tokens are the rest of an expression. The methods read a part of it, as the grammar of
// Python has it: "not" binds more than "and", and that more than "or".
type tokens []node

// take takes the next token if it is an operator.
func (t *tokens) take(op operator) bool {
	if len(*t) == 0 || (*t)[0].op != op {
		return false
	}
	*t = (*t)[1:]
	return true
}

func (t *tokens) or() (*node, bool) { return t.joined(isOr, (*tokens).and) }

func (t *tokens) and() (*node, bool) { return t.joined(isAnd, (*tokens).operand) }

// joined reads parts that an operator joins.
func (t *tokens) joined(op operator, part func(*tokens) (*node, bool)) (*node, bool) {
	x, ok := part(t)
	for ok && t.take(op) {
		var y *node
		y, ok = part(t)
		x = &node{op: op, x: x, y: y}
	}
	return x, ok
}

func (t *tokens) operand() (*node, bool) {
	switch {
	case len(*t) == 0:
		return nil, false
	case t.take(isNot):
		x, ok := t.operand()
		return &node{op: isNot, x: x}, ok
	case t.take(opens):
		x, ok := t.or()
		return x, ok && t.take(closes)
	}
	n := (*t)[0]
	return &n, t.take(isWord) || t.take(isEmpty)
}

package topfile

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// A referee refuses what our YAML library accepts and libyaml, which the server
// reads with, does not. The library has the same scanner as libyaml, made laxer in
// a few places; these are the ones that the differential test has found.
type referee struct {
	lines   []string
	anchors map[string]bool
	last    *yaml.Node // the one before, in the order of the text
	at      place      // of last
	near    spot
	err     error // the first
}

// A spot is a place in the text, the offset in bytes of its line.
type spot struct{ line, column, offset int }

const tabProblem = "a tab stands where YAML takes spaces only"

const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// simpleKey is the longest key in characters without a question mark before it.
const simpleKey = 1024

var (
	forbidden   = regexp.MustCompile("[^\t\n -~\u0085\u00a0-\ufffd\U00010000-\U0010ffff]") // wherever it stands
	anchorName  = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)
	tabBefore   = regexp.MustCompile(`(?:^|[-?]|^ *:) *\t[ \t]*$`)
	tabOnly     = regexp.MustCompile(`^(?:[-?:] *)?\t[ \t]*(?:#|$)`)
	content     = regexp.MustCompile(`^[ \t]*[^ \t#]`)
	comment     = regexp.MustCompile(`(?:^|[ \t])#`)
	colonAfter  = regexp.MustCompile(`^[ \t]*:[,?\[\]{}]`)
	flowText    = regexp.MustCompile(`^[:?]|:[,?\[\]{}]`)
	beforeRoot  = regexp.MustCompile(`^(?:%|---(?:[ \t]+#|[ \t]*$))`)
	documentEnd = regexp.MustCompile(`^\.\.\.(?:[ \t]|$)`)
	tagGlued    = regexp.MustCompile(`^![^ \t,\]}]*[\]}]`)
)

// newReferee looks at a text before it is parsed.
func newReferee(text string) *referee {
	r := &referee{lines: lines(text), anchors: map[string]bool{}}
	if at := forbidden.FindStringIndex(text); at != nil {
		line, column := position(text, at[0])
		r.refuseAt(line, column, "reader", fmt.Sprintf("the character %U is not allowed", []rune(text[at[0]:at[1]])[0]), "")
	}
	if before, _, found := strings.Cut("\n"+text, "\n\ufeff"); found {
		r.refuseAt(strings.Count(before, "\n")+1, 1, "reader", "a byte order mark stands inside the file", "")
	}
	begun := false
	for n, line := range r.lines {
		rest := strings.TrimLeft(line, " ")
		switch {
		case documentEnd.MatchString(line) && !begun:
			r.refuseAt(n+1, 1, "parser", "a document ends here and none has begun", "")
		case strings.HasPrefix(rest, "\t"):
			r.tabAt(n+1, len(line)-len(rest)+1)
		case beforeRoot.MatchString(line):
			begun = begun || line[0] == '-'
		case content.MatchString(line):
			return r
		}
	}
	return r
}

// lines splits a text as YAML 1.1 does, for which these three end a line, too.
func lines(text string) []string {
	return strings.Split(strings.NewReplacer("\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(strings.TrimPrefix(text, "\ufeff")), "\n")
}

// A place is what stands around a node.
type place struct {
	flow   bool
	key    bool // without a question mark before it
	indent int  // of the innermost block collection, in characters plus one
}

// check looks at the nodes of a document that has been parsed, in their order.
func (r *referee) check(n *yaml.Node, at place) {
	r.tabs(n.Line, at.flow)
	r.last, r.at = n, at
	r.anchor(n)
	r.scalar(n, at.flow)
	inner := place{flow: at.flow || n.Style&yaml.FlowStyle != 0, indent: n.Column}
	if inner.flow {
		inner.indent = at.indent
	}
	for i, child := range n.Content {
		before, from := r.split(child)
		inner.key = n.Kind == yaml.MappingNode && i%2 == 0 && !strings.HasSuffix(strings.TrimRight(before, " \t"), "?")
		if inner.key && child.Kind == yaml.ScalarNode {
			r.key(child, n.Content[i+1], from, inner.flow)
		}
		space := from[:len(from)-len(strings.TrimLeft(from, " \t"))] // behind the place of an empty node
		if !inner.flow && tabBefore.MatchString(before+space) {
			r.refuse(child, "scanner", tabProblem)
		}
		r.check(child, inner)
	}
}

func (r *referee) anchor(n *yaml.Node) {
	name := n.Anchor
	if n.Kind == yaml.AliasNode {
		name = n.Value
	}
	switch {
	case name != "" && !anchorName.MatchString(name):
		r.refuse(n, "scanner", "the anchor or alias "+name+" has characters other than letters, digits, _ and -")
	case r.anchors[n.Anchor]:
		r.refuse(n, "composer", "the anchor &"+name+" is there twice")
	case n.Anchor != "":
		r.anchors[name] = true
	}
}

// tabs looks for tabs in the lines of white space and comments between the last node and
// the line of the next one.
func (r *referee) tabs(next int, flow bool) {
	n := r.last
	if n == nil || flow || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return
	}
	next = min(next, len(r.lines)+1)
	// A plain text goes on over empty lines until a comment, less indentation or the colon of
	// a key ends it.
	number, plain := n.Line, n.Kind == yaml.ScalarNode && n.Value != "" && !r.at.key
	if r.at.flow || n.Style&(quoted|yaml.FlowStyle) != 0 { // a quoted text or flow collection ends somewhere
		number, plain = next, false
		for number > n.Line && !content.MatchString(r.lines[number-2]) {
			number--
		}
	}
	for ; number < next; number++ {
		line := r.lines[number-1]
		rest := strings.TrimLeft(line, " ")
		outside := len(line)-len(rest) < r.at.indent
		if tabOnly.MatchString(rest) && (!plain || outside) {
			r.tabAt(number, strings.IndexByte(line, '\t')+1)
		}
		plain = plain && !comment.MatchString(line) && (number == n.Line || !outside || !content.MatchString(line))
	}
}

// key looks at a key of a mapping, which is a scalar and has no question mark before it.
// Source is its line from it on.
func (r *referee) key(key, value *yaml.Node, source string, flow bool) {
	plain := key.Style&(quoted|yaml.TaggedStyle) == 0 && key.Tag != "!" && key.Anchor == ""
	rest, whole := strings.CutPrefix(source, key.Value)
	switch {
	case key.Value == "" && strings.HasPrefix(source, ":"):
		r.refuse(key, "parser", "a colon stands here without a key before it")
	case utf8.RuneCountInString(key.Value) > simpleKey:
		r.refuse(key, "scanner", "a key is longer than 1024 characters")
	case !flow || !plain || source == "" || source[0] == '?':
	case whole && colonAfter.MatchString(rest):
		r.refuse(key, "scanner", "a colon must be followed by a space")
	case !whole && (value.Kind != yaml.ScalarNode || value.Value != ""): // a colon must follow
		r.refuse(key, "parser", "a key goes over more than one line")
	}
}

func (r *referee) scalar(n *yaml.Node, flow bool) {
	if n.Kind != yaml.ScalarNode || n.Style&quoted != 0 || !flow {
		return
	}
	if _, source := r.split(n); n.Value == "" && tagGlued.MatchString(source) {
		r.refuse(n, "scanner", "a tag must be followed by a space")
	}
	if flowText.MatchString(n.Value) {
		r.refuse(n, "scanner", "put the text "+n.Value+" in quotes")
	}
}

// split returns the line of a node to its left, and from the node on. It goes on from where
// the last call found one, for a line may be the whole file.
func (r *referee) split(n *yaml.Node) (before, from string) {
	if n.Line < 1 || n.Line > len(r.lines) {
		return "", ""
	}
	line := r.lines[n.Line-1]
	if n.Line != r.near.line || n.Column < r.near.column {
		r.near = spot{line: n.Line, column: 1}
	}
	for ; r.near.column < n.Column && r.near.offset < len(line); r.near.column++ {
		_, size := utf8.DecodeRuneInString(line[r.near.offset:])
		r.near.offset += size
	}
	return line[:r.near.offset], line[r.near.offset:]
}

func (r *referee) refuse(n *yaml.Node, stage, problem string) {
	r.refuseAt(n.Line, n.Column, stage, problem, "")
}

func (r *referee) tabAt(line, column int) {
	r.refuseAt(line, column, "scanner", tabProblem, "indent with spaces")
}

func (r *referee) refuseAt(line, column int, stage, problem, hint string) {
	if r.err == nil {
		r.err = &SyntaxError{line, column, pyYAML(stage), problem, hint}
	}
}

package topfile

import (
	"bytes"
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
	anchors map[string]*yaml.Node
	last    *yaml.Node // the one before, in the order of the text
	at      place      // of last
	near    spot
}

// A spot is a place in the text, the offset in bytes of its line.
type spot struct{ line, column, offset int }

const tabProblem = "a tab stands where YAML takes spaces only"

const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// simpleKey is the longest key in characters without a question mark before it.
const simpleKey = 1024

var (
	anchorName = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)
	tabBefore  = regexp.MustCompile(`(?:^|[-?]) *\t[ \t]*$`)
	comment    = regexp.MustCompile(`(?:^|[ \t])#`)
	colonAfter = regexp.MustCompile(`^[ \t]*:[,?\[\]{}]`)
	flowColon  = regexp.MustCompile(`:[,?\[\]{}]`)
)

// refuse looks at a text before it is parsed.
func refuse(text []byte) error {
	if at := bytes.IndexFunc(bytes.TrimPrefix(text, []byte("\ufeff")), forbidden); at >= 0 {
		at += len(text) - len(bytes.TrimPrefix(text, []byte("\ufeff")))
		r, _ := utf8.DecodeRune(text[at:])
		line, column := position(text, at)
		return &SyntaxError{line, column, "yaml.reader.ReaderError", "the character " + unicodeName(r) + " is not allowed", ""}
	}
	if at := bytes.Index(text, []byte("\n\ufeff")); at >= 0 {
		line, _ := position(text, at+1)
		return &SyntaxError{line, 1, "yaml.reader.ReaderError", "a byte order mark stands inside the file", ""}
	}
	for n, line := range strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(line, "...") && (len(line) == 3 || line[3] == ' ' || line[3] == '\t') {
			return &SyntaxError{n + 1, 1, "yaml.parser.ParserError", "a document ends here and none has begun", ""}
		}
		if tab := strings.IndexByte(line, '\t'); tab >= 0 && strings.TrimLeft(line[:tab], " ") == "" {
			return tabAt(n+1, tab+1)
		}
		if trimmed != "" && trimmed[0] != '#' {
			break
		}
	}
	return nil
}

// A place is what stands around a node.
type place struct {
	flow   bool
	indent int // of the innermost block collection, in characters plus one
}

// check looks at the nodes of a document that has been parsed, in their order.
func (r *referee) check(n *yaml.Node, at place) error {
	if err := r.tabs(n.Line); err != nil {
		return err
	}
	r.last, r.at = n, at
	if err := r.anchor(n); err != nil {
		return err
	}
	if err := r.scalar(n, at.flow); err != nil {
		return err
	}
	inner := place{flow: at.flow || n.Style&yaml.FlowStyle != 0, indent: n.Column}
	if inner.flow {
		inner.indent = at.indent
	}
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			if err := r.key(child, n.Content[i+1], inner.flow); err != nil {
				return err
			}
		}
		if !inner.flow && tabBefore.MatchString(r.before(child)) {
			return refused(child, "scanner", tabProblem)
		}
		if err := r.check(child, inner); err != nil {
			return err
		}
	}
	return nil
}

func (r *referee) anchor(n *yaml.Node) error {
	name := n.Anchor
	if n.Kind == yaml.AliasNode {
		name = n.Value
	}
	switch {
	case name == "":
		return nil
	case !anchorName.MatchString(name):
		return refused(n, "scanner", "the anchor or alias "+name+" has characters other than letters, digits, _ and -")
	case n.Anchor == "":
		return nil
	case r.anchors[name] != nil:
		return refused(n, "composer", "the anchor &"+name+" is there twice")
	}
	r.anchors[name] = n
	return nil
}

// tabs looks for tabs in lines without content between the last node and the
// line of the next one. It knows too little of where a quoted text or a flow
// collection ends to look behind one.
func (r *referee) tabs(next int) error {
	n := r.last
	if n == nil || r.at.flow || n.Style&(quoted|yaml.FlowStyle) != 0 {
		return nil
	}
	// A plain text goes on over empty lines until a comment ends it.
	plain := n.Kind == yaml.ScalarNode && n.Value != ""
	for number := n.Line; number < min(next, len(r.lines)+1); number++ {
		line := r.lines[number-1]
		if number > n.Line && strings.TrimLeft(line, " \t") == "" {
			if tab := strings.IndexByte(line, '\t'); tab >= 0 && (!plain || tab < r.at.indent) {
				return tabAt(number, tab+1)
			}
		}
		if comment.MatchString(line) {
			plain = false
		}
	}
	return nil
}

// end looks for tabs in the lines behind everything.
func (r *referee) end() error {
	if err := r.tabs(len(r.lines) + 1); err != nil {
		return err
	}
	block := yaml.LiteralStyle | yaml.FoldedStyle
	if !r.at.flow && r.last.Style&block != 0 {
		return nil
	}
	plain := !r.at.flow && r.last.Kind == yaml.ScalarNode && r.last.Style&(quoted|yaml.FlowStyle) == 0
	for i := len(r.lines) - 1; i >= 0 && !plain && strings.TrimLeft(r.lines[i], " \t") == ""; i-- {
		if tab := strings.IndexByte(r.lines[i], '\t'); tab >= 0 {
			return tabAt(i+1, tab+1)
		}
	}
	return nil
}

// key looks at a key of a mapping.
func (r *referee) key(key, value *yaml.Node, flow bool) error {
	source := r.from(key)
	if key.Kind != yaml.ScalarNode || strings.HasSuffix(strings.TrimRight(r.before(key), " \t"), "?") {
		return nil
	}
	plain := key.Style&(quoted|yaml.TaggedStyle) == 0 && key.Tag != "!" && key.Anchor == ""
	switch {
	case key.Value == "" && strings.HasPrefix(source, ":"):
		return refused(key, "parser", "a colon stands here without a key before it")
	case utf8.RuneCountInString(key.Value) > simpleKey:
		return refused(key, "scanner", "a key is longer than 1024 characters")
	case !flow || !plain || source == "" || source[0] == '?':
		return nil
	case !strings.HasPrefix(source, key.Value) && value.Kind == yaml.ScalarNode && value.Value == "":
		return nil // no colon may follow
	case !strings.HasPrefix(source, key.Value):
		return refused(key, "parser", "a key goes over more than one line")
	case colonAfter.MatchString(source[len(key.Value):]):
		return refused(key, "scanner", "a colon must be followed by a space")
	}
	return nil
}

func (r *referee) scalar(n *yaml.Node, flow bool) error {
	if n.Kind != yaml.ScalarNode || n.Style&quoted != 0 || !flow {
		return nil
	}
	if source := r.from(n); n.Value == "" && strings.HasPrefix(source, "!") {
		if end := strings.IndexAny(source, " \t,]}"); end >= 0 && source[end] != ' ' && source[end] != '\t' && source[end] != ',' {
			return refused(n, "scanner", "a tag must be followed by a space")
		}
	}
	if strings.HasPrefix(n.Value, ":") || strings.HasPrefix(n.Value, "?") || flowColon.MatchString(n.Value) {
		return refused(n, "scanner", "put the text "+n.Value+" in quotes")
	}
	return nil
}

// before returns what stands in the line of a node to its left.
func (r *referee) before(n *yaml.Node) string {
	line := r.line(n)
	return line[:len(line)-len(r.from(n))]
}

// from returns the line of a node from the node on. It goes on from where the last
// call found one, for a line may be the whole file.
func (r *referee) from(n *yaml.Node) string {
	line := r.line(n)
	if n.Line != r.near.line || n.Column < r.near.column {
		r.near = spot{line: n.Line, column: 1}
	}
	for ; r.near.column < n.Column && r.near.offset < len(line); r.near.column++ {
		_, size := utf8.DecodeRuneInString(line[r.near.offset:])
		r.near.offset += size
	}
	return line[r.near.offset:]
}

func (r *referee) line(n *yaml.Node) string {
	if n.Line < 1 || n.Line > len(r.lines) {
		return ""
	}
	return r.lines[n.Line-1]
}

func refused(n *yaml.Node, stage, problem string) error {
	return &SyntaxError{n.Line, n.Column, pyYAML(stage), problem, ""}
}

func tabAt(line, column int) error {
	return &SyntaxError{line, column, pyYAML("scanner"), tabProblem, "indent with spaces"}
}

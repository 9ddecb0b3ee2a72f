package topfile

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A constructor makes values of nodes as SaltYamlSafeLoader does: PyYAML's safe
// loader on libyaml, but two equal keys are an error, a time is a text, leading
// zeros of an integer do not count, and merge keys have Salt's precedence.
type constructor struct {
	made map[*yaml.Node]*value
	flat map[*yaml.Node]bool
	work int
}

// construct parses source. It returns nil if there is no document.
func construct(source []byte) (v *value, err error) {
	root, err := decode(source)
	if root == nil || err != nil {
		return nil, err
	}
	c := &constructor{made: map[*yaml.Node]*value{}, flat: map[*yaml.Node]bool{}}
	defer func() {
		if r := recover(); r != nil {
			failure, ok := r.(*SyntaxError)
			if !ok {
				panic(r)
			}
			v, err = nil, failure
		}
	}()
	return c.value(root), nil
}

func (c *constructor) fail(n *yaml.Node, format string, args ...any) {
	panic(&SyntaxError{Line: n.Line, Column: n.Column, Exception: "yaml.constructor.ConstructorError", Problem: fmt.Sprintf(format, args...)})
}

func (c *constructor) failHint(n *yaml.Node, hint, format string, args ...any) {
	panic(&SyntaxError{n.Line, n.Column, "yaml.constructor.ConstructorError", fmt.Sprintf(format, args...), hint})
}

// tag returns the tag of a node, resolved. Only a node without one, and one with
// the tag "!", is resolved, by its text.
func tag(n *yaml.Node) string {
	explicit := n.Style&yaml.TaggedStyle != 0 && n.Tag != ""
	switch {
	case explicit:
		return n.Tag
	case n.Kind == yaml.SequenceNode:
		return tagSeq
	case n.Kind == yaml.MappingNode:
		return tagMap
	case n.Tag != "!" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return tagStr
	case n.Tag == "!" && n.Value == "":
		return tagStr
	default:
		return resolve(n.Value)
	}
}

func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func (c *constructor) value(n *yaml.Node) *value {
	n = target(n)
	if v, ok := c.made[n]; ok {
		return v
	}
	v := &value{line: n.Line, column: n.Column, raw: n.Value}
	c.made[n] = v
	switch t := tag(n); t {
	case tagSeq:
		v.kind = kindSeq
		c.need(n, yaml.SequenceNode, "a list")
		for _, item := range n.Content {
			v.items = append(v.items, c.value(item))
		}
	case tagMap, tagSet:
		v.kind = kindMap
		if t == tagSet {
			v.kind = kindSet
		}
		c.need(n, yaml.MappingNode, "a mapping")
		c.mapping(n, v)
	case tagPairs:
		v.kind = kindSeq
		c.need(n, yaml.SequenceNode, "a list")
		c.entries(n, v)
	case tagOmap:
		c.fail(n, "Salt reads the tag !!omap now one way and now another: do without it")
	default:
		c.scalar(n, t, v)
	}
	return v
}

func (c *constructor) need(n *yaml.Node, kind yaml.Kind, name string) {
	if n.Kind != kind {
		c.fail(n, "the tag %s is for %s", n.Tag, name)
	}
}

func (c *constructor) mapping(n *yaml.Node, v *value) {
	c.flatten(n)
	first := map[string]*value{}
	for i := 0; i < len(n.Content); i += 2 {
		key := c.key(n.Content[i])
		id, hashable := key.identity()
		if !hashable {
			c.failHint(target(n.Content[i]), "if this is Jinja, the server does not render it", "%s is no key", names[key.kind])
		}
		made := c.value(n.Content[i+1])
		if before, twice := first[id]; twice {
			where := target(n.Content[i])
			c.fail(where, "the key %s is there twice, first in line %d", quoteKey(key), before.line)
		}
		first[id] = key
		v.pairs = append(v.pairs, pair{key, made})
	}
}

// key constructs a node that is a key. The scalar = is a text there.
func (c *constructor) key(n *yaml.Node) *value {
	n = target(n)
	if n.Kind == yaml.ScalarNode && tag(n) == tagValue {
		return &value{kind: kindStr, text: n.Value, raw: n.Value, line: n.Line, column: n.Column}
	}
	v := *c.value(n)
	return &v
}

// flatten puts what merge keys name into a mapping. The order is Salt's: of
// entries with one key, those in the mapping itself win by the text of the key,
// and two merged ones are both left, and so found to be there twice.
func (c *constructor) flatten(n *yaml.Node) {
	if c.flat[n] {
		return
	}
	c.flat[n] = true
	var rest, sources, merged []*yaml.Node
	for i := 0; i < len(n.Content); i += 2 {
		if key := target(n.Content[i]); key.Kind == yaml.ScalarNode && tag(key) == tagMerge {
			sources = append(sources, target(n.Content[i+1]))
		} else {
			rest = append(rest, n.Content[i], n.Content[i+1])
		}
	}
	n.Content = rest // before the sources are flattened: one of them may be n
	for _, from := range sources {
		switch from.Kind {
		case yaml.MappingNode:
			c.flatten(from)
			merged = c.grow(n, merged, from.Content)
		case yaml.SequenceNode:
			var lists [][]*yaml.Node
			for _, item := range from.Content {
				item = target(item)
				if item.Kind != yaml.MappingNode {
					c.fail(item, "a merge key (<<) takes a mapping or a list of mappings")
				}
				c.flatten(item)
				lists = append(lists, item.Content)
			}
			for _, list := range slices.Backward(lists) {
				merged = c.grow(n, merged, list)
			}
		default:
			c.fail(from, "a merge key (<<) takes a mapping or a list of mappings")
		}
	}
	if len(merged) == 0 {
		return
	}
	own := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		own[target(n.Content[i]).Value] = true
	}
	var content []*yaml.Node
	for i := 0; i < len(merged); i += 2 {
		if !own[target(merged[i]).Value] {
			content = append(content, merged[i], merged[i+1])
		}
	}
	n.Content = append(content, n.Content...)
}

// grow appends, within bounds: lists of merges of merges double.
func (c *constructor) grow(n *yaml.Node, to, more []*yaml.Node) []*yaml.Node {
	if c.work += len(more); c.work > 2*maxWork {
		c.fail(n, "merge keys (<<) make more than %d entries", maxWork)
	}
	return append(to, more...)
}

// entries reads the list of mappings with one key each that !!pairs takes.
func (c *constructor) entries(n *yaml.Node, v *value) {
	for _, item := range n.Content {
		item = target(item)
		if item.Kind != yaml.MappingNode || len(item.Content) != 2 {
			c.fail(item, "the tag %s is for a list of mappings with one key each", n.Tag)
		}
		both := &value{kind: kindSeq, line: item.Line, column: item.Column}
		both.items = []*value{c.value(item.Content[0]), c.value(item.Content[1])}
		v.items = append(v.items, both)
	}
}

func (c *constructor) scalar(n *yaml.Node, t string, v *value) {
	if n.Kind != yaml.ScalarNode {
		c.failTag(n, t)
	}
	ok := true
	switch t {
	case tagNull:
		v.kind = kindNull
	case tagBool:
		v.kind = kindBool
		v.text, ok = truth(n.Value)
	case tagInt:
		v.kind = kindInt
		v.text, ok = integer(n.Value)
	case tagFloat:
		v.kind = kindFloat
		v.float, ok = float(n.Value)
		v.text = strconv.FormatFloat(v.float, 'g', -1, 64)
	case tagStr, tagUnicode, tagTimestamp:
		v.kind, v.text = kindStr, n.Value
	case tagBinary:
		v.kind = kindBytes
		v.text, ok = binary(n.Value)
	default:
		c.failTag(n, t)
	}
	if !ok {
		c.fail(n, "%q is not what the tag %s is for", n.Value, t)
	}
}

func (c *constructor) failTag(n *yaml.Node, t string) {
	switch t {
	case tagMerge, tagValue:
		c.failHint(n, "put it in quotes", "%s is no value", n.Value)
	default:
		c.failHint(n, "put a text that begins with ! in quotes", "the tag %s is not allowed", t)
	}
}

// binary reads base64 as Python does, which skips all other characters.
func binary(text string) (string, bool) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", r) {
			return r
		}
		if r >= 0x80 {
			return '\x80' // is refused below
		}
		return -1
	}, text)
	data, err := base64.StdEncoding.DecodeString(digits)
	return string(data), err == nil
}

// quoteKey prints a key as a person writes it.
func quoteKey(v *value) string {
	if v.kind == kindStr {
		return v.text
	}
	return v.raw
}

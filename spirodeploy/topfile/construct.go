package topfile

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

// A constructor makes nodes what SaltYamlSafeLoader makes of them: PyYAML's safe loader on
// libyaml, but two equal keys are an error, a time is a text, leading zeros of an integer
// do not count, and merge keys have Salt's precedence.
//
// A constructed node has the tag of its value and the mark of a tag, [yaml.TaggedStyle].
// Aliases and merge keys below it are replaced by what they stand for.
type constructor struct {
	made map[*yaml.Node]bool
	flat map[*yaml.Node]bool // is flattened, or about to be
	work int
	err  error // the first
}

// construct parses source. It returns nil if there is no document.
func construct(source []byte) (*yaml.Node, error) {
	root, err := decode(source)
	if root == nil || err != nil {
		return nil, err
	}
	c := &constructor{made: map[*yaml.Node]bool{}, flat: map[*yaml.Node]bool{}}
	return c.node(root), c.err
}

func (c *constructor) fail(n *yaml.Node, hint, format string, args ...any) {
	if c.err == nil {
		c.err = &SyntaxError{n.Line, n.Column, "yaml.constructor.ConstructorError", fmt.Sprintf(format, args...), hint}
	}
}

// tag returns the tag of a node, resolved. Only a node without one, and one with
// the tag "!", is resolved, by its text.
func tag(n *yaml.Node) string {
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		return n.Tag
	case n.Kind == yaml.SequenceNode:
		return tagSeq
	case n.Kind == yaml.MappingNode:
		return tagMap
	case n.Tag != "!" && n.Style&quoted != 0, n.Tag == "!" && n.Style&quoted == 0 && n.Value == "":
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

// node constructs a node, or what an alias stands for. It does nothing more after the first
// error.
func (c *constructor) node(n *yaml.Node) *yaml.Node {
	n = target(n)
	if c.made[n] || c.err != nil {
		return n
	}
	c.made[n] = true
	n.Tag, n.Style = tag(n), n.Style|yaml.TaggedStyle
	switch n.Tag {
	case tagSeq, tagPairs:
		c.need(n, yaml.SequenceNode, "a list")
		if n.Tag == tagPairs {
			c.entries(n)
		}
		for i, item := range n.Content {
			n.Content[i] = c.node(item)
		}
	case tagMap, tagSet:
		c.need(n, yaml.MappingNode, "a mapping")
		c.mapping(n)
	case tagOmap:
		c.fail(n, "", "Salt reads the tag !!omap now one way and now another: do without it")
	default:
		c.scalar(n)
	}
	return n
}

func (c *constructor) need(n *yaml.Node, kind yaml.Kind, name string) {
	if n.Kind != kind {
		c.fail(n, "", "the tag %s is for %s", n.Tag, name)
	}
}

func (c *constructor) mapping(n *yaml.Node) {
	c.flatten(n)
	first := map[string]*yaml.Node{}
	for i := 0; i < len(n.Content) && c.err == nil; i += 2 {
		key := c.node(n.Content[i])
		id, hashable := identity(key)
		if !hashable {
			c.fail(key, "if this is Jinja, the server does not render it", "%s is no key", noun(key))
		}
		n.Content[i], n.Content[i+1] = key, c.node(n.Content[i+1])
		if before := first[id]; before != nil {
			c.fail(key, "", "the key %s is there twice, first in line %d", key.Value, before.Line)
		}
		first[id] = key
	}
}

// flatten puts what merge keys name into a mapping. The order is Salt's: of entries with
// one key, those in the mapping itself win by the text of the key, and two merged ones are
// both left, and so found to be there twice. The scalar = is a text if it is a key.
func (c *constructor) flatten(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		c.fail(n, "", "a merge key (<<) takes a mapping or a list of mappings")
		return
	}
	if c.flat[n] {
		return
	}
	c.flat[n] = true
	var rest, sources, merged []*yaml.Node
	own := map[string]bool{}
	for key, value := range pairs(n) {
		key, value = target(key), target(value)
		switch tag(key) {
		case tagMerge:
			sources = append(sources, value)
			continue
		case tagValue:
			key.Tag, key.Style = tagStr, key.Style|yaml.TaggedStyle
		}
		rest = append(rest, key, value)
		own[key.Value] = true
	}
	n.Content = rest // before the sources are flattened: one of them may be n
	for _, from := range sources {
		list := []*yaml.Node{from}
		if from.Kind == yaml.SequenceNode {
			list = from.Content
		}
		for _, source := range list {
			c.flatten(target(source))
		}
		for _, source := range slices.Backward(list) {
			more := target(source).Content
			if c.work += len(more); c.work > 2*maxWork { // lists of merges of merges double
				c.fail(n, "", "merge keys (<<) make more than %d entries", maxWork)
			}
			if c.err != nil {
				return
			}
			merged = append(merged, more...)
		}
	}
	if len(merged) == 0 {
		return
	}
	var content []*yaml.Node
	for pair := range slices.Chunk(merged, 2) {
		if !own[target(pair[0]).Value] {
			content = append(content, pair...)
		}
	}
	n.Content = append(content, n.Content...)
}

// entries reads the list of mappings with one key each that !!pairs takes: Python makes a
// list of each.
func (c *constructor) entries(n *yaml.Node) {
	for i, item := range n.Content {
		item = target(item)
		if item.Kind != yaml.MappingNode || len(item.Content) != 2 {
			c.fail(item, "", "the tag %s is for a list of mappings with one key each", n.Tag)
		}
		n.Content[i] = &yaml.Node{Kind: yaml.SequenceNode, Line: item.Line, Column: item.Column, Content: slices.Clone(item.Content)}
	}
	n.Tag = tagSeq
}

func (c *constructor) scalar(n *yaml.Node) {
	ok := true
	switch t := n.Tag; {
	case t == tagMerge, t == tagValue:
		c.fail(n, "put it in quotes", "%s is no value", n.Value)
	case n.Kind != yaml.ScalarNode:
		c.failTag(n)
	case t == tagNull, t == tagStr:
	case t == tagUnicode, t == tagTimestamp:
		n.Tag = tagStr
	case t == tagBool, t == tagInt, t == tagFloat:
		_, ok = number(n)
	case t == tagBinary:
		_, ok = binary(n.Value)
	default:
		c.failTag(n)
	}
	if !ok {
		c.fail(n, "", "%q is not what the tag %s is for", n.Value, n.Tag)
	}
}

func (c *constructor) failTag(n *yaml.Node) {
	c.fail(n, "put a text that begins with ! in quotes", "the tag %s is not allowed", n.Tag)
}

package topfile

import (
	"iter"
	"math"
	"math/big"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// types name the tags that a constructed node has, for a person and in Python.
var types = map[string]struct{ noun, python string }{
	tagNull: {"empty", "NoneType"}, tagBool: {"a truth value", "bool"}, tagInt: {"a number", "int"}, tagFloat: {"a number", "float"},
	tagStr: {"a text", "str"}, tagBinary: {"binary data", "bytes"}, tagSeq: {"a list", "list"}, tagMap: {"a mapping", "dict"}, tagSet: {"a set", "set"},
}

// noun says for a person what a node is.
func noun(n *yaml.Node) string { return types[n.Tag].noun }

// pairs yields the keys and values of a mapping.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		for pair := range slices.Chunk(n.Content, 2) {
			if !yield(pair[0], pair[1]) {
				return
			}
		}
	}
}

// The functions below take constructed nodes.

// get returns the key that is a text, and its value, or nil.
func get(n *yaml.Node, text string) (key, value *yaml.Node) {
	for key, value := range pairs(n) {
		if key.Tag == tagStr && key.Value == text {
			return key, value
		}
	}
	return nil, nil
}

// identity returns an id that is equal for keys that are equal in Python: 1, 1.0 and True
// are one key. It returns false if a value cannot be a key.
func identity(n *yaml.Node) (id string, hashable bool) {
	switch n.Tag {
	case tagSeq, tagMap, tagSet:
		return "", false
	case tagNull:
		return tagNull, true
	case tagInt:
		text, _ := integer(n.Value)
		return "number " + text, true
	case tagBool, tagFloat:
		f, _ := number(n)
		if f == math.Trunc(f) && !math.IsInf(f, 0) {
			whole, _ := big.NewFloat(f).Int(nil)
			return "number " + whole.String(), true
		}
		return "number " + strconv.FormatFloat(f, 'g', -1, 64), true
	case tagBinary:
		encoded, _ := binary(n.Value)
		return n.Tag + " " + encoded, true
	default:
		return n.Tag + " " + n.Value, true
	}
}

// truthy tells whether Python takes a value for true.
func truthy(n *yaml.Node) bool {
	switch n.Tag {
	case tagNull:
		return false
	case tagBool, tagInt, tagFloat:
		f, _ := number(n)
		return f != 0
	case tagBinary:
		encoded, _ := binary(n.Value)
		return encoded != ""
	default:
		return len(n.Content) > 0 || n.Value != ""
	}
}

// size counts the values below a node as if no two were one, up to a limit.
func size(n *yaml.Node, limit int) int {
	sum := 1
	for _, child := range n.Content {
		if sum >= limit {
			break
		}
		sum += size(child, limit-sum)
	}
	return sum
}

// anyText tells whether a text at or below a node has a property. The caller has bounded
// the size.
func anyText(n *yaml.Node, has func(string) bool) bool {
	return n.Tag == tagStr && has(n.Value) || slices.ContainsFunc(n.Content, func(child *yaml.Node) bool { return anyText(child, has) })
}

package topfile

import (
	"math"
	"math/big"
	"strconv"
)

type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindInt
	kindFloat
	kindStr
	kindBytes
	kindSeq
	kindMap
	kindSet
)

// names are the words for a person.
var names = map[kind]string{
	kindNull: "empty", kindBool: "a truth value", kindInt: "a number", kindFloat: "a number", kindStr: "a text",
	kindBytes: "binary data", kindSeq: "a list", kindMap: "a mapping", kindSet: "a set",
}

// A value is what Salt's loader makes of a YAML node.
type value struct {
	kind         kind
	text         string // of a text, of bytes; else the number or truth value as Python prints it
	raw          string // a scalar as it is written
	float        float64
	items        []*value
	pairs        []pair
	line, column int
}

type pair struct{ key, value *value }

// identity returns an id that is equal for keys that are equal in Python: 1, 1.0 and True
// are one key. It returns false if a value cannot be a key, or equals no other.
func (v *value) identity() (id string, hashable bool) {
	switch v.kind {
	case kindSeq, kindMap, kindSet:
		return "", false
	case kindNull:
		return "null", true
	case kindBool:
		return "number " + map[string]string{"True": "1", "False": "0"}[v.text], true
	case kindInt:
		return "number " + v.text, true
	case kindFloat:
		if v.float == math.Trunc(v.float) && !math.IsInf(v.float, 0) {
			n, _ := big.NewFloat(v.float).Int(nil)
			return "number " + n.String(), true
		}
		return "number " + strconv.FormatFloat(v.float, 'g', -1, 64), true
	case kindBytes:
		return "bytes " + v.text, true
	default:
		return "text " + v.text, true
	}
}

// number returns a number or a truth value as a float: near enough to sort by.
func (v *value) number() float64 {
	switch v.kind {
	case kindInt:
		f, _ := strconv.ParseFloat(v.text, 64)
		return f
	case kindBool:
		return map[string]float64{"True": 1}[v.text]
	default:
		return v.float
	}
}

// truthy tells whether Python takes a value for true.
func (v *value) truthy() bool {
	switch v.kind {
	case kindNull:
		return false
	case kindBool:
		return v.text == "True"
	case kindInt:
		return v.text != "0"
	case kindFloat:
		return v.float != 0
	case kindSeq:
		return len(v.items) > 0
	case kindMap, kindSet:
		return len(v.pairs) > 0
	default:
		return v.text != ""
	}
}

// get returns the value of a key that is a text.
func (v *value) get(key string) (pair, bool) {
	for _, p := range v.pairs {
		if p.key.kind == kindStr && p.key.text == key {
			return p, true
		}
	}
	return pair{}, false
}

// size counts the values below v as if no two were one, up to a limit.
func (v *value) size(limit int) int {
	n := 1
	for _, item := range v.items {
		if n >= limit {
			return n
		}
		n += item.size(limit - n)
	}
	for _, p := range v.pairs {
		if n >= limit {
			return n
		}
		n += p.key.size(limit-n) + 1
		n += p.value.size(limit - n)
	}
	return n
}

// anyText tells whether a text at or below v has a property. The caller has
// bounded the size.
func (v *value) anyText(has func(string) bool) bool {
	if v.kind == kindStr && has(v.text) {
		return true
	}
	for _, item := range v.items {
		if item.anyText(has) {
			return true
		}
	}
	for _, p := range v.pairs {
		if p.key.anyText(has) || p.value.anyText(has) {
			return true
		}
	}
	return false
}

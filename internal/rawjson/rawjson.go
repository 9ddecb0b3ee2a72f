// Package rawjson reads JSON in place: values stay parts of the text. Decoded JSON can be
// a hundred times as large as the text, and a server must not decide how much memory a
// run takes.
//
// A [Cursor] accepts any text. The functions require valid JSON unless they say
// otherwise.
package rawjson

import (
	"iter"
	"strings"
)

// Depth returns how deeply a value is nested: 0 for a string or a number, 1 for [] and {}.
// It accepts any text.
func Depth(raw string) int {
	depth, most := 0, 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = EndOfString(raw, i) - 1
		case '{', '[':
			depth++
			most = max(most, depth)
		case '}', ']':
			depth--
		}
	}
	return most
}

// First returns the first byte of a value, which tells its type; 0 for an empty text.
func First(raw string) byte { return NewCursor(raw, 0).First() }

// Empty reports whether a value is [], {} or "".
func Empty(raw string) bool {
	c := NewCursor(raw, 1)
	switch c.First() {
	case '"':
		return c.String() == "" && !c.bad
	case '{':
		return !c.Object() && !c.bad
	case '[':
		return !c.Array() && !c.bad
	}
	return false
}

// anyDepth is the deepest level that json.Valid accepts.
const anyDepth = 10_000

// Members yields the names and values of an object's members in their order, including
// duplicates. It yields nothing for other values.
func Members(raw string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		c := NewCursor(raw, anyDepth)
		for more := c.Object(); more; more = c.More('}') {
			name := c.Name()
			if value := c.Value(); c.bad || !yield(name, value) {
				return
			}
		}
	}
}

// Elements yields the elements of an array. It yields nothing for other values.
func Elements(raw string) iter.Seq[string] {
	return func(yield func(string) bool) {
		c := NewCursor(raw, anyDepth)
		for more := c.Array(); more; more = c.More(']') {
			if value := c.Value(); c.bad || !yield(value) {
				return
			}
		}
	}
}

// Compact returns a value without white space between its parts, which is the value itself if
// there is none.
func Compact(raw string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(raw); {
		switch raw[i] {
		case '"':
			i = EndOfString(raw, i)
		case ' ', '\t', '\r', '\n':
			if done == 0 {
				b.Grow(len(raw))
			}
			b.WriteString(raw[done:i])
			i++
			done = i
		default:
			i++
		}
	}
	if done == 0 {
		return raw
	}
	b.WriteString(raw[done:])
	return b.String()
}

// EndOfString returns the index behind the string whose opening quote is at i.
func EndOfString(raw string, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

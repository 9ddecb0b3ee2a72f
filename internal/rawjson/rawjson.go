// Package rawjson looks into JSON without unfolding it: values stay the text
// that they are, in place. Decoded, a small text can take a hundred times its
// size, and what a server sends is not to decide how much memory a run takes.
//
// A [Cursor] takes any text. Of what it has found to be JSON, or json.Valid
// has, the functions look into values again.
package rawjson

import "iter"

// Depth returns how deeply a value is nested: 0 for a text or a number, 1 for
// [] and {}. It takes any text.
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

// First returns the first byte of a value, which tells its type; 0 if there is none.
func First(raw string) byte {
	if i := space(raw, 0); i < len(raw) {
		return raw[i]
	}
	return 0
}

// Empty reports whether a value is [], {} or "".
func Empty(raw string) bool {
	i := space(raw, 0)
	if i >= len(raw) {
		return false
	}
	switch end := space(raw, i+1); {
	case end >= len(raw):
		return false
	case raw[i] == '"':
		return raw[i+1] == '"'
	case raw[i] == '{', raw[i] == '[':
		return raw[end] == '}' || raw[end] == ']'
	}
	return false
}

// anyDepth is as deep as json.Valid goes.
const anyDepth = 10_000

// Members yields the members of an object in their order, one that is there
// twice included; nothing for other values.
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

// Elements yields the elements of an array; nothing for other values.
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

// space returns where the white space at i ends.
func space(raw string, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r') {
		i++
	}
	return min(i, len(raw))
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

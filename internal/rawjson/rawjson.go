// Package rawjson reads JSON in place: values stay parts of the text. Decoded JSON can be
// a hundred times as large as the text, and a server must not decide how much memory a
// run takes.
//
// A [Cursor] accepts any text. The functions require valid JSON unless they say
// otherwise.
package rawjson

import "iter"

// Depth returns how deeply a value is nested: 0 for a string or a number, 1 for [] and {}.
// It accepts any text.
func Depth(raw string) int {
	depth, most := 0, 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = endOfString(raw, i) - 1
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

// space returns the end of the white space at i.
func space(raw string, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r') {
		i++
	}
	return min(i, len(raw))
}

// endOfString returns the end of the string at i.
func endOfString(raw string, i int) int {
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

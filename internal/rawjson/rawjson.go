// Package rawjson looks into JSON without unfolding it: values stay the bytes
// that they are, in place. Decoded, a small text can take a hundred times its
// size, and what a server sends is not to decide how much memory a run takes.
//
// Members and Elements take what [json.Valid] does; of other bytes they yield
// anything, or nothing.
package rawjson

import (
	"encoding/json"
	"iter"
)

// Depth returns how deeply a value is nested: 0 for a text or a number, 1 for
// [] and {}. It takes any bytes.
func Depth(raw []byte) int {
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

// First returns the first byte of a value, which tells its type; 0 if there is none.
func First(raw []byte) byte {
	if i := space(raw, 0); i < len(raw) {
		return raw[i]
	}
	return 0
}

// Empty reports whether a value is [], {} or "".
func Empty(raw []byte) bool {
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

// Members yields the members of an object in their order, one that is there
// twice included; nothing for other values.
func Members(raw []byte) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		if First(raw) != '{' {
			return
		}
		for i := space(raw, space(raw, 0)+1); i < len(raw) && raw[i] == '"'; {
			end := endOfString(raw, i)
			var name string
			if json.Unmarshal(raw[i:end], &name) != nil {
				return
			}
			i = space(raw, space(raw, end)+1) // after the colon
			end = endOfValue(raw, i)
			if i >= len(raw) || !yield(name, raw[i:end:end]) {
				return
			}
			i = space(raw, space(raw, end)+1) // after the comma
		}
	}
}

// Elements yields the elements of an array; nothing for other values.
func Elements(raw []byte) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		if First(raw) != '[' {
			return
		}
		for i := space(raw, space(raw, 0)+1); i < len(raw) && raw[i] != ']'; {
			end := endOfValue(raw, i)
			if end == i || !yield(raw[i:end:end]) {
				return
			}
			i = space(raw, space(raw, end)+1) // after the comma
		}
	}
}

// space returns where the white space at i ends.
func space(raw []byte, i int) int {
	for i < len(raw) && (raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r') {
		i++
	}
	return min(i, len(raw))
}

// endOfString returns where the string at i ends.
func endOfString(raw []byte, i int) int {
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

// endOfValue returns where the value at i ends.
func endOfValue(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			i = endOfString(raw, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return i // the end of what the value is in
			}
			depth--
			i++
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return len(raw)
}

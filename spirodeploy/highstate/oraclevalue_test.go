package highstate_test

import (
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// What parseSlowly needs to look into values.

func milliseconds(f float64) highstate.Milliseconds {
	if !(f < 1e12) { // 30 years, or no number at all
		return 0
	}
	return highstate.Milliseconds(f * float64(time.Millisecond))
}

// truthy reports whether Python takes a value for true.
func truthy(raw json.RawMessage) bool {
	switch rawFirst(raw) {
	case 0, 'n', 'f':
		return false
	case 't':
		return true
	case '"', '[', '{':
		return !rawEmpty(raw)
	}
	return number(raw) != 0
}

// maxDecoded is the size in bytes up to which text tidies up a value that is not a text.
const maxDecoded = 64 << 10

// text returns a value as a person would write it. Each element of a list is a line.
func text(raw json.RawMessage) string {
	switch rawFirst(raw) {
	case 0, 'n':
		return ""
	case '"':
		var s string
		_ = json.Unmarshal(raw, &s) // it is a valid text
		return s
	case '[':
		var b strings.Builder
		b.Grow(len(raw)) // about what it takes; to grow takes twice that
		for item := range rawElements(raw) {
			b.WriteString(text(item))
			b.WriteByte('\n')
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	var v any
	if len(raw) > maxDecoded || json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// texts returns a list, or a single text as a list.
func texts(raw json.RawMessage) []string {
	if rawFirst(raw) != '[' {
		if s := text(raw); s != "" {
			return []string{s}
		}
		return nil
	}
	var all []string
	n := 0
	for item := range rawElements(raw) {
		if n++; n <= maxTexts {
			all = append(all, text(item))
		}
	}
	if n > maxTexts {
		all = append(all, "(and "+human.Thousands(n-maxTexts)+" more)")
	}
	return all
}

func isNumber(raw json.RawMessage) bool {
	c := rawFirst(raw)
	return c == '-' || c >= '0' && c <= '9'
}

// number returns 12 for 12, "12" and "12 ms", and 0 for other values.
func number(raw json.RawMessage) float64 {
	s := string(raw)
	switch {
	case rawFirst(raw) == '"':
		s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text(raw)), "ms"))
	case !isNumber(raw):
		return 0
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return f
}

// short returns the beginning of a value.
func short(raw json.RawMessage) string {
	const most = 100
	r := []rune(string(raw[:min(len(raw), 4*most)])) // at least as many, if there are
	if len(r) <= most && len(raw) <= 4*most {
		return string(raw)
	}
	return string(r[:most]) + "…"
}

// rawDepth returns how deeply a value is nested: 0 for a text or a number, 1 for
// [] and {}. It takes any bytes.
func rawDepth(raw []byte) int {
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

// rawFirst returns the first byte of a value, which tells its type; 0 if there is none.
func rawFirst(raw []byte) byte {
	if i := space(raw, 0); i < len(raw) {
		return raw[i]
	}
	return 0
}

// rawEmpty reports whether a value is [], {} or "".
func rawEmpty(raw []byte) bool {
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

// rawMembers yields the members of an object in their order, including repeated ones. It
// yields nothing for other values.
func rawMembers(raw []byte) iter.Seq2[string, json.RawMessage] {
	return func(yield func(string, json.RawMessage) bool) {
		if rawFirst(raw) != '{' {
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

// rawElements yields the elements of an array, and nothing for other values.
func rawElements(raw []byte) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		if rawFirst(raw) != '[' {
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

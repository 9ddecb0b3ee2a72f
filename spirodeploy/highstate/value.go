package highstate

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// The functions require a value of valid JSON, or "" for none.

// truthy reports whether Python takes a value for true.
func truthy(raw string) bool {
	switch rawjson.First(raw) {
	case 0, 'n', 'f':
		return false
	case 't':
		return true
	case '"', '[', '{':
		return !rawjson.Empty(raw)
	}
	return number(raw) != 0
}

// retcode returns a return code. A value that Python takes for true is not 0. It is -1 if
// it is not a whole number.
func retcode(raw string) int {
	if !truthy(raw) {
		return 0
	}
	if rawjson.First(raw) == 't' {
		return 1 // True == 1
	}
	if n, err := strconv.Atoi(strings.Trim(raw, `"`)); err == nil && n != 0 {
		return n
	}
	const exact = 1 << 53 // above, not every whole number is a float64
	if f := number(raw); f != 0 && f == math.Trunc(f) && math.Abs(f) <= exact {
		return int(f)
	}
	return -1
}

// maxDecoded is the size in bytes up to which text tidies up a value that is not a text.
const maxDecoded = 64 << 10

// text returns a value as a person would write it. Each element of a list is a line.
func text(raw string) string {
	switch rawjson.First(raw) {
	case 0, 'n':
		return ""
	case '"':
		return rawjson.Text(raw)
	case '[':
		var b strings.Builder
		b.Grow(len(raw)) // about its size
		appendLines(&b, raw)
		return b.String()
	}
	var v any
	if len(raw) > maxDecoded || isTidy(raw) || json.Unmarshal([]byte(raw), &v) != nil {
		return raw
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// appendLines writes a line for each element of a list and of the lists in it.
func appendLines(b *strings.Builder, list string) {
	first := true
	for item := range rawjson.Elements(list) {
		if !first {
			b.WriteByte('\n')
		}
		first = false
		if rawjson.First(item) == '[' {
			appendLines(b, item)
			continue
		}
		b.WriteString(text(item))
	}
}

// isTidy reports whether decoding would not change a value. There may be millions of
// them.
func isTidy(raw string) bool {
	digits := strings.TrimPrefix(raw, "-")
	return raw == "true" || raw == "false" || raw == "{}" || len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}

// texts returns a list, or a single text as a list.
func texts(raw string) []string {
	if rawjson.First(raw) != '[' {
		if s := text(raw); s != "" {
			return []string{s}
		}
		return nil
	}
	var all []string
	n := 0
	for item := range rawjson.Elements(raw) {
		if n++; n <= maxTexts {
			all = append(all, text(item))
		}
	}
	if n > maxTexts {
		all = append(all, "(and "+human.Thousands(n-maxTexts)+" more)")
	}
	return all
}

func isNumber(raw string) bool {
	c := rawjson.First(raw)
	return c == '-' || c >= '0' && c <= '9'
}

// simple returns a number of up to 15 digits with or without a decimal point, as most are. It rounds
// once, as strconv does.
func simple(raw string) (f float64, ok bool) {
	const most = 15 // digits that a float64 holds exactly
	n, scale, point := uint64(0), uint64(1), false
	for i := range len(raw) {
		switch c := raw[i]; {
		case c == '.':
			point = true
		case c < '0' || c > '9' || i == most:
			return 0, false
		default:
			n = 10*n + uint64(c-'0')
			if point {
				scale *= 10
			}
		}
	}
	return float64(n) / float64(scale), true
}

// number returns 12 for 12, "12" and "12 ms", and 0 for other values.
func number(raw string) float64 {
	if f, ok := simple(raw); ok {
		return f
	}
	s := raw
	switch {
	case rawjson.First(raw) == '"':
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
func short(raw string) string {
	const most = 100
	r := []rune(raw[:min(len(raw), 4*most)]) // enough bytes for as many runes
	if len(r) <= most && len(raw) <= 4*most {
		return raw
	}
	return string(r[:most]) + "…"
}

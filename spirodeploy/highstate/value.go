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

// The functions here take a value of valid JSON as it is written, or "" for none.

// truthy is what Python takes for true.
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

// retcode returns a return code as Python judges it: what is true in Python is not
// 0. What is true and no whole number is -1.
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
	if f := number(raw); f != 0 && f == math.Trunc(f) && math.Abs(f) < 1<<31 {
		return int(f)
	}
	return -1
}

// maxDecoded is the size in bytes up to which a value that is meant to be a text
// and is none is tidied up; a larger one stays as it is written.
const maxDecoded = 64 << 10

// text returns a value as a person would write it: a list is a line for each.
func text(raw string) string {
	switch rawjson.First(raw) {
	case 0, 'n':
		return ""
	case '"':
		return rawjson.Text(raw)
	case '[':
		var b strings.Builder
		b.Grow(len(raw)) // about what it takes; to grow takes twice that
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

// beginning is text for a value that may be large: of such a one, it returns the
// beginning.
func beginning(raw string) string {
	if len(raw) <= maxRootComment {
		return text(raw)
	}
	first := strings.TrimLeft(raw[:maxRootComment], "[ \t\r\n") // a list is a line for each element
	if rawjson.First(first) != '"' {
		return short(raw)
	}
	// The cut must not be in an escape, of which the longest have six bytes.
	if i := strings.LastIndexByte(first, '\\'); i >= len(first)-6 {
		first = strings.TrimRight(first[:i], `\`)
	}
	return rawjson.NewCursor(first+`"`, 1).String()
}

// appendLines writes a list, of which each element may be one, a line for each:
// into one buffer, however deep it goes.
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

// isTidy reports whether a value is one that decoding would not change: there may
// be millions of them.
func isTidy(raw string) bool {
	digits := strings.TrimPrefix(raw, "-")
	return raw == "true" || raw == "false" || raw == "{}" || len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}

// texts returns a list, or the one text there is.
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

// number returns 12 for 12, "12" and "12 ms", and 0 for what is no number.
func number(raw string) float64 {
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
	r := []rune(raw[:min(len(raw), 4*most)]) // at least as many, if there are
	if len(r) <= most && len(raw) <= 4*most {
		return raw
	}
	return string(r[:most]) + "…"
}

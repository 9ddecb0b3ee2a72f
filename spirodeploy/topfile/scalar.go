package topfile

import (
	"cmp"
	"encoding/base64"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// The types of YAML 1.1 that PyYAML tells apart in plain scalars.
const (
	tagNull      = "!!null"
	tagBool      = "!!bool"
	tagInt       = "!!int"
	tagFloat     = "!!float"
	tagStr       = "!!str"
	tagMerge     = "!!merge"
	tagValue     = "!!value"
	tagTimestamp = "!!timestamp"
	tagBinary    = "!!binary"
	tagSeq       = "!!seq"
	tagMap       = "!!map"
	tagSet       = "!!set"
	tagOmap      = "!!omap"
	tagPairs     = "!!pairs"
	tagUnicode   = "!!python/unicode"
)

// A resolver gives the plain scalars of a pattern a type. These are PyYAML's
// (yaml/resolver.py in 6.0): a true y is a text, 1e3 and 0o17 are texts, and
// 1:30 is the number 90.
var resolvers = []struct {
	tag     string
	pattern *regexp.Regexp
}{
	{tagBool, regexp.MustCompile(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)},
	{tagFloat, regexp.MustCompile(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?` +
		`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)},
	{tagInt, regexp.MustCompile(`^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)},
	{tagMerge, regexp.MustCompile(`^<<$`)},
	{tagNull, regexp.MustCompile(`^(?:~|null|Null|NULL|)$`)},
	{tagTimestamp, regexp.MustCompile(`^[0-9]{4}-(?:[0-9]{2}-[0-9]{2}|[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}` +
		`(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$`)},
	{tagValue, regexp.MustCompile(`^=$`)},
}

// resolve returns the type of a plain scalar.
func resolve(text string) string {
	for _, r := range resolvers {
		if r.pattern.MatchString(text) {
			return r.tag
		}
	}
	return tagStr
}

// capitalPrefix is one that Go takes and Python does not.
var capitalPrefix = regexp.MustCompile(`^0[BX]`)

// integer reads an integer as Salt's loader does: it takes leading zeros away, so that 017
// is 17, and leaves the rest to PyYAML, for which -017 is octal. It returns it as Python
// prints it.
func integer(text string) (string, bool) {
	if strings.HasPrefix(text, "0") && !strings.HasPrefix(text, "0b") && !strings.HasPrefix(text, "0x") {
		text = cmp.Or(strings.TrimLeft(text, "0"), "0")
	}
	text = strings.ReplaceAll(text, "_", "")
	negative := strings.HasPrefix(text, "-")
	if negative || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	base, parts := 10, strings.Split(text, ":")
	if strings.HasPrefix(text, "0") {
		base, parts = 0, []string{text} // that of the prefix
	}
	if len(text) > 4*maxDigits || capitalPrefix.MatchString(text) { // more than maxDigits of any base, or Go's own notation
		return "", false
	}
	sum := new(big.Int)
	for _, part := range parts {
		n, ok := new(big.Int).SetString(strings.TrimSpace(part), base)
		if !ok {
			return "", false
		}
		sum.Add(sum.Mul(sum, big.NewInt(60)), n)
	}
	if len(sum.String()) > maxDigits {
		return "", false
	}
	if negative {
		sum.Neg(sum)
	}
	return sum.String(), true
}

// float reads a number as PyYAML does.
func float(text string) (float64, bool) {
	text, negative := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(text, "_", "")), "-")
	text = strings.TrimPrefix(text, "+")
	if text == ".inf" || text == ".nan" {
		text = text[1:]
	}
	sum := 0.0
	for part := range strings.SplitSeq(text, ":") {
		f, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil && !math.IsInf(f, 0) || strings.ContainsAny(part, "xp") { // Go's own notations
			return 0, false
		}
		sum = sum*60 + f
	}
	if negative {
		sum = -sum
	}
	return sum, true
}

// number reads the scalar of a node that is a number or a truth value. It is near enough
// to sort by.
func number(n *yaml.Node) (f float64, ok bool) {
	switch n.Tag {
	case tagBool:
		value, ok := map[string]float64{"yes": 1, "true": 1, "on": 1, "no": 0, "false": 0, "off": 0}[strings.ToLower(n.Value)]
		return value, ok
	case tagInt:
		text, ok := integer(n.Value)
		f, _ = strconv.ParseFloat(text, 64)
		return f, ok
	case tagFloat:
		return float(n.Value)
	}
	return 0, false
}

// skipped matches what Python skips in base64. It refuses other characters than ASCII.
var skipped = regexp.MustCompile(`[^A-Za-z0-9+/=[:^ascii:]]+`)

// binary reads base64 as Python does, and returns it without what is skipped.
func binary(text string) (string, bool) {
	data, err := base64.StdEncoding.DecodeString(skipped.ReplaceAllString(text, ""))
	return base64.StdEncoding.EncodeToString(data), err == nil
}

package topfile

import (
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
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

// integer reads an integer as Salt's loader does: it takes leading zeros away,
// so that 017 is 17, and leaves the rest to PyYAML, for which -017 is octal. It returns it
// as Python prints it.
func integer(text string) (string, bool) {
	if text != "0" && strings.HasPrefix(text, "0") && !strings.HasPrefix(text, "0b") && !strings.HasPrefix(text, "0x") {
		if text = strings.TrimLeft(text, "0"); text == "" {
			text = "0"
		}
	}
	text = strings.ReplaceAll(text, "_", "")
	negative := strings.HasPrefix(text, "-")
	if negative || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	n, ok := magnitude(text)
	if !ok || len(n.String()) > maxDigits {
		return "", false
	}
	if negative {
		n.Neg(n)
	}
	return n.String(), true
}

func magnitude(text string) (*big.Int, bool) {
	switch {
	case text == "0":
		return new(big.Int), true
	case strings.HasPrefix(text, "0b"):
		return digits(text[2:], 2)
	case strings.HasPrefix(text, "0x"):
		return digits(text[2:], 16)
	case strings.HasPrefix(text, "0"):
		return digits(strings.TrimPrefix(text, "0o"), 8)
	case strings.Contains(text, ":"):
		n := new(big.Int)
		for part := range strings.SplitSeq(text, ":") {
			digit, ok := digits(part, 10)
			if !ok || n.BitLen() > 1<<16 {
				return nil, false
			}
			n.Add(n.Mul(n, big.NewInt(60)), digit)
		}
		return n, true
	default:
		return digits(strings.TrimSpace(text), 10)
	}
}

func digits(text string, base int) (*big.Int, bool) {
	if text == "" || text[0] == '-' || text[0] == '+' || base == 10 && len(text) > maxDigits {
		return nil, false
	}
	return new(big.Int).SetString(text, base)
}

// float reads a number as PyYAML does.
func float(text string) (float64, bool) {
	text = strings.ToLower(strings.ReplaceAll(text, "_", ""))
	sign := 1.0
	if strings.HasPrefix(text, "-") {
		sign = -1
	}
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	switch {
	case text == ".inf":
		return sign * math.Inf(1), true
	case text == ".nan":
		return math.NaN(), true
	case !strings.Contains(text, ":"):
		f, ok := decimal(text)
		return sign * f, ok
	}
	parts := strings.Split(text, ":")
	slices.Reverse(parts)
	base, sum := 1.0, 0.0
	for _, part := range parts {
		f, ok := decimal(part)
		if !ok {
			return 0, false
		}
		sum += f * base
		base *= 60
	}
	return sign * sum, true
}

func decimal(text string) (float64, bool) {
	if strings.ContainsAny(text, "xp") {
		return 0, false // Go's own notations
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return f, err == nil || math.IsInf(f, 0)
}

// truth reads a truth value, which an explicit tag may put before any case, and returns it
// as Python prints it.
func truth(text string) (value string, ok bool) {
	switch strings.ToLower(text) {
	case "yes", "true", "on":
		return "True", true
	case "no", "false", "off":
		return "False", true
	}
	return "", false
}

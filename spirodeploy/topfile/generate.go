package topfile

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Generate returns the top.sls that SpiroFS makes of a spirotop.sls for the
// saltenv PROJECT/DEPLOYMENT: the section of the deployment as that of the
// saltenv, or an empty one if the file has no such section. It returns nil if the
// file is empty, for SpiroFS then makes none. Keys are sorted, as SpiroFS has them.
func (f *File) Generate(saltenv, deployment string) ([]byte, error) {
	if f.Empty() {
		return nil, nil
	}
	section := &value{kind: kindMap}
	if p, ok := f.root.get(deployment); ok {
		section = p.value
	}
	if section.size(maxWork) >= maxWork {
		return nil, &SyntaxError{Exception: "RecursionError", Problem: "aliases (*) make too many values of the section " + deployment}
	}
	root := &value{kind: kindMap, pairs: []pair{{&value{kind: kindStr, text: saltenv}, section}}}
	return yaml.Dump(root.node(), yaml.WithIndent(2), yaml.WithCompactSeqIndent(), yaml.WithLineWidth(-1))
}

// node returns the YAML that Salt reads as v.
func (v *value) node() *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: v.text}
	switch v.kind {
	case kindNull:
		n.Value = "null"
	case kindBool:
		n.Value = strings.ToLower(v.text)
	case kindInt:
	case kindFloat:
		n.Value = v.written()
	case kindBytes:
		n.Tag, n.Style, n.Value = tagBinary, yaml.TaggedStyle, base64.StdEncoding.EncodeToString([]byte(v.text))
	case kindSeq:
		n.Kind = yaml.SequenceNode
		for _, item := range v.items {
			n.Content = append(n.Content, item.node())
		}
	case kindMap, kindSet:
		n.Kind = yaml.MappingNode
		if v.kind == kindSet {
			n.Tag, n.Style = tagSet, yaml.TaggedStyle
		}
		for _, p := range v.sorted() {
			n.Content = append(n.Content, p.key.node(), p.value.node())
		}
	default:
		n.Tag = tagStr
		if resolve(v.text) != tagStr {
			n.Style = yaml.SingleQuotedStyle
		}
	}
	if len(n.Content) == 0 && n.Kind != yaml.ScalarNode {
		n.Style |= yaml.FlowStyle
	}
	return n
}

// written returns a float in a form that YAML 1.1 reads as one.
func (v *value) written() string {
	switch v.text {
	case "+Inf":
		return ".inf"
	case "-Inf":
		return "-.inf"
	case "NaN":
		return ".nan"
	}
	mantissa, exponent, has := strings.Cut(v.text, "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if has {
		return mantissa + "e" + exponent
	}
	return mantissa
}

// sorted returns the pairs as Python sorts them: only if all their keys are texts,
// or all are numbers.
func (v *value) sorted() []pair {
	texts, numbers := 0, 0
	for _, p := range v.pairs {
		switch p.key.kind {
		case kindStr:
			texts++
		case kindInt, kindFloat, kindBool:
			numbers++
		}
	}
	switch len(v.pairs) {
	case texts:
		return slices.SortedFunc(slices.Values(v.pairs), func(a, b pair) int { return strings.Compare(a.key.text, b.key.text) })
	case numbers:
		return slices.SortedStableFunc(slices.Values(v.pairs), func(a, b pair) int { return cmp.Compare(a.key.number(), b.key.number()) })
	default:
		return v.pairs
	}
}

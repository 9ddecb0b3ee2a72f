package topfile

import (
	"cmp"
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
	_, section := get(f.root, deployment)
	if section == nil {
		section = &yaml.Node{Kind: yaml.MappingNode, Tag: tagMap}
	}
	if size(section, maxWork) >= maxWork {
		return nil, &SyntaxError{Exception: "RecursionError", Problem: "aliases (*) make too many values of the section " + deployment}
	}
	root := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{written(&yaml.Node{Kind: yaml.ScalarNode, Tag: tagStr, Value: saltenv}), written(section)}}
	return yaml.Dump(root, yaml.WithIndent(2), yaml.WithCompactSeqIndent(), yaml.WithLineWidth(-1))
}

// written returns a copy of a constructed node that Salt reads as that, with its own copy
// of each node below.
func written(n *yaml.Node) *yaml.Node {
	out := &yaml.Node{Kind: n.Kind, Value: n.Value}
	switch n.Tag {
	case tagStr:
		out.Tag = tagStr
		if resolve(n.Value) != tagStr {
			out.Style = yaml.SingleQuotedStyle
		}
	case tagNull:
		out.Value = "null"
	case tagBool:
		f, _ := number(n)
		out.Value = map[float64]string{0: "false", 1: "true"}[f]
	case tagInt:
		out.Value, _ = integer(n.Value)
	case tagBinary:
		out.Value, _ = binary(n.Value)
		out.Tag, out.Style = n.Tag, yaml.TaggedStyle
	case tagFloat, tagSet:
		if resolve(n.Value) != n.Tag {
			out.Tag, out.Style = n.Tag, yaml.TaggedStyle
		}
	}
	for _, child := range sorted(n) {
		out.Content = append(out.Content, written(child))
	}
	if len(out.Content) == 0 && n.Kind != yaml.ScalarNode {
		out.Style |= yaml.FlowStyle
	}
	return out
}

// sorted returns what is in a node, with the keys of a mapping as Python sorts them: only
// if all of them are texts, or all are numbers.
func sorted(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.MappingNode {
		return n.Content
	}
	texts, numbers := true, true
	for key := range pairs(n) {
		_, isNumber := number(key)
		texts, numbers = texts && key.Tag == tagStr, numbers && isNumber
	}
	all := slices.Collect(slices.Chunk(n.Content, 2))
	if texts || numbers {
		slices.SortStableFunc(all, func(a, b []*yaml.Node) int {
			x, _ := number(a[0])
			y, _ := number(b[0])
			return cmp.Or(cmp.Compare(x, y), strings.Compare(a[0].Value, b[0].Value))
		})
	}
	return slices.Concat(all...)
}

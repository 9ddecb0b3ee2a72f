package cli

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/spirostack/spirodeploy/internal/errlist"
)

// listed is a target in a file. The flags and the environment say what it leaves out.
type listed struct {
	Name          string
	Server        string
	Project       string
	Deployment    string
	Certificate   string // a file, relative to the list
	TokenVariable string // of the environment
	TokenFile     string // relative to the list
	Insecure      *bool
}

// text returns the place of a field that is a text, or nil if there is no such field.
func (l *listed) text(name string) *string {
	switch name {
	case "name":
		return &l.Name
	case "server":
		return &l.Server
	case "project":
		return &l.Project
	case "deployment":
		return &l.Deployment
	case "certificate":
		return &l.Certificate
	case "token-variable":
		return &l.TokenVariable
	case "token-file":
		return &l.TokenFile
	}
	return nil
}

// A listReader reads a list of targets, in YAML. A text is taken as it is written: 1.10
// does not become 1.1. A field whose value is null in so many words is not given. A field
// without a value is an error, because most often a variable is not set, and the run must
// not go on as if the field were not there.
type listReader struct {
	path string
	read int // how many mappings and entries were read
}

// maxRead limits how many mappings and entries are read, together with those that are merged
// into others: a list of a few lines can name millions.
const maxRead = 1_000_000

// targets returns the targets. The error lists the problems: of each target that has a field
// with an unknown name, only that.
func (r *listReader) targets(source []byte) ([]listed, error) {
	source = bytes.TrimPrefix(source, []byte("\ufeff")) // editors on Windows put it there
	if !utf8.Valid(source) {
		return nil, fmt.Errorf("%s: it is not UTF-8: save it as UTF-8", r.path)
	}
	documents, err := r.parse(source)
	if err != nil {
		return nil, err
	}
	documents = slices.DeleteFunc(documents, func(d yaml.Node) bool { return isNull(d.Content[0]) }) // a line --- may be the last
	switch len(documents) {
	case 0:
		return nil, nil
	case 1:
	default:
		return nil, r.fault(&documents[1], "a second document begins here: a list is one document")
	}
	root := documents[0].Content[0]
	if root.Kind != yaml.SequenceNode {
		return nil, r.fault(root, "it is not a list: each target begins with -")
	}
	var list []listed
	var errs []error
	for _, item := range root.Content {
		l, err := r.target(item)
		list, errs = append(list, l), append(errs, err)
	}
	return list, errlist.Join(errs...)
}

// parse returns the documents. A bug of the library is an error here.
func (r *listReader) parse(source []byte) (documents []yaml.Node, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			documents, err = nil, fmt.Errorf("%s: %v", r.path, bug)
		}
	}()
	err = yaml.Load(source, &documents, yaml.WithAllDocuments())
	if load, ok := errors.AsType[*yaml.LoadError](err); ok {
		return nil, r.fault(&yaml.Node{Line: load.Mark.Line, Column: load.Mark.Column}, "%s", load.Message)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", r.path, err)
	}
	return documents, err
}

// fault returns an error with its place.
func (r *listReader) fault(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d:%d: %s", r.path, n.Line, n.Column, fmt.Sprintf(format, args...))
}

// target reads a target.
func (r *listReader) target(n *yaml.Node) (l listed, err error) {
	fields, err := r.fields(n, map[*yaml.Node]bool{})
	if err != nil {
		return l, err
	}
	var errs []error
	for _, f := range fields {
		errs = append(errs, r.set(&l, f.name, f.value))
	}
	return l, errlist.Join(errs...)
}

// set sets a field.
func (r *listReader) set(l *listed, name, value *yaml.Node) error {
	into, said := l.text(name.Value), strings.TrimSpace(value.Value)
	switch {
	case value.Kind != yaml.ScalarNode:
		return r.fault(value, "%s takes a single value", name.Value)
	case value.Style&yaml.TaggedStyle != 0 && value.Tag != "!!str":
		return r.fault(value, "%s takes a value without a tag", name.Value)
	case said != "" && isNull(value):
		return nil
	case said == "":
		return r.fault(name, "%s is given and empty: is a variable not set?", name.Value)
	case into != nil:
		*into = said
		return nil
	}
	yes := strings.EqualFold(said, "true")
	if isQuoted(value) || !yes && !strings.EqualFold(said, "false") {
		return r.fault(value, "insecure is true or false, without quotes")
	}
	l.Insecure = &yes
	return nil
}

func isQuoted(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// isNull reports whether a node is YAML's null.
func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && !isQuoted(n) && n.Style&yaml.TaggedStyle == 0 && slices.Contains([]string{"", "~", "null", "Null", "NULL"}, n.Value)
}

// field is an entry of a mapping.
type field struct{ name, value *yaml.Node }

func (f field) isMerge() bool { return f.name.Value == "<<" && !isQuoted(f.name) }

func (f field) isKnown() bool {
	return f.name.Value == "insecure" || new(listed).text(f.name.Value) != nil
}

// fields returns the entries of a mapping, and of those that its merge keys (<<) name. The
// first of equal names counts, and its own come first. It takes the mappings around it,
// because a mapping may name itself. It refuses an unknown name at once: a mapping of known
// ones is short, however often it is merged.
func (r *listReader) fields(n *yaml.Node, around map[*yaml.Node]bool) ([]field, error) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch r.read += 1 + len(n.Content)/2; {
	case n.Kind != yaml.MappingNode:
		return nil, r.fault(n, "a target is a mapping, such as {name: eu, server: 'https://salt:4510/'}")
	case around[n]:
		return nil, r.fault(n, "it is merged into itself")
	case r.read > maxRead:
		return nil, r.fault(n, "the list has too many targets")
	}
	around[n] = true
	defer delete(around, n)
	var own []field
	var others []*yaml.Node
	for pair := range slices.Chunk(n.Content, 2) {
		f := field{pair[0], pair[1]}
		for f.value.Kind == yaml.AliasNode {
			f.value = f.value.Alias
		}
		same := slices.IndexFunc(own, f.hasNameOf)
		switch {
		case f.name.Kind != yaml.ScalarNode:
			return nil, r.fault(f.name, "the name of a field is a text")
		case f.isMerge() && f.value.Kind == yaml.SequenceNode:
			others = append(others, f.value.Content...)
		case f.isMerge():
			others = append(others, f.value)
		case !f.isKnown():
			return nil, r.fault(f.name, "unknown field %q", f.name.Value)
		case same >= 0:
			return nil, r.fault(f.name, "%s is given twice, first in line %d", f.name.Value, own[same].name.Line)
		default:
			own = append(own, f)
		}
	}
	for _, other := range others {
		merged, err := r.fields(other, around)
		if err != nil {
			return nil, err
		}
		own = append(own, slices.DeleteFunc(merged, func(f field) bool { return slices.ContainsFunc(own, f.hasNameOf) })...)
	}
	return own, nil
}

func (f field) hasNameOf(g field) bool { return f.name.Value == g.name.Value }

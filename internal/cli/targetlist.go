package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// listed is a target in a file. The flags and the environment say what it leaves out.
type listed struct {
	Name, Server, Project, Deployment string

	Certificate   string // a file, relative to the list
	TokenVariable string // of the environment
	TokenFile     string // relative to the list
	Insecure      *bool
}

// texts returns the fields that are texts, by their keys.
func (l *listed) texts() map[string]*string {
	return map[string]*string{
		"name": &l.Name, "server": &l.Server, "project": &l.Project, "deployment": &l.Deployment,
		"certificate": &l.Certificate, "token-variable": &l.TokenVariable, "token-file": &l.TokenFile,
	}
}

// parseTargets reads a list of targets in YAML, from the file at path. The error lists every
// problem, with its place. It reads texts as they are written: the deployment 1.10 is not 1.1.
func parseTargets(path string, source []byte) ([]listed, error) {
	root, err := onlyDocument(source)
	if err != nil {
		return nil, misplaced(path, err)
	}
	if root == nil || isNull(root) || root.Kind == yaml.SequenceNode && len(root.Content) == 0 {
		return nil, fmt.Errorf("%s lists no target", path)
	}
	if root.Kind != yaml.SequenceNode {
		return nil, misplaced(path, at(root, "this is not a list of targets: each begins with a dash"))
	}
	var list []listed
	var errs []error
	for _, item := range root.Content {
		var l listed
		for _, err := range l.read(item) {
			errs = append(errs, misplaced(path, err))
		}
		list = append(list, l)
	}
	return list, errlist.Join(errs...)
}

// onlyDocument returns the root of the only document of a source, or nil if there is none. A
// bug of the library is an error.
func onlyDocument(source []byte) (root *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("%v", r)
		}
	}()
	var all []yaml.Node
	if err := yaml.Load(source, &all, yaml.WithAllDocuments()); err != nil {
		return nil, err
	}
	for i := range all {
		switch document := all[i].Content[0]; {
		case isNull(document): // behind the last ---
		case root != nil:
			return nil, &fault.Error{Err: at(document, "a second list begins here, and only the first would count"), Help: "put all targets into one"}
		default:
			root = document
		}
	}
	return root, nil
}

// read fills in a target, and returns what is wrong with it.
func (l *listed) read(item *yaml.Node) (errs []error) {
	target := resolved(item)
	if target.Kind != yaml.MappingNode {
		return []error{at(item, "this is not a target, which has keys such as name and server")}
	}
	keys := map[string]bool{}
	for i := 0; i+1 < len(target.Content); i += 2 {
		key, value := target.Content[i], resolved(target.Content[i+1])
		switch {
		case isMerge(key):
			// The target's own keys come first, wherever they stand.
			continue
		case keys[key.Value]:
			errs = append(errs, at(key, "the key %s is there twice", sanitize.Line(key.Value)))
		default:
			errs = append(errs, l.set(key, value))
		}
		keys[key.Value] = true
	}
	for i := 0; i+1 < len(target.Content); i += 2 {
		if key, value := target.Content[i], resolved(target.Content[i+1]); isMerge(key) {
			errs = append(errs, l.merge(keys, value)...)
		}
	}
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// merge adds the keys of a mapping, or of several, that the target does not have.
func (l *listed) merge(keys map[string]bool, from *yaml.Node) (errs []error) {
	all := []*yaml.Node{from}
	if from.Kind == yaml.SequenceNode {
		all = from.Content
	}
	for _, node := range all {
		if node = resolved(node); node.Kind != yaml.MappingNode {
			return append(errs, at(node, "only a target can be merged"))
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			key, value := node.Content[i], resolved(node.Content[i+1])
			switch {
			case isMerge(key):
				errs = append(errs, at(key, "a target that is merged must not merge others"))
			case !keys[key.Value]:
				keys[key.Value] = true
				errs = append(errs, l.set(key, value))
			}
		}
	}
	return errs
}

// set sets the field of a key.
func (l *listed) set(key, value *yaml.Node) error {
	name := key.Value
	field, ok := l.texts()[name]
	switch {
	case key.Kind != yaml.ScalarNode || !ok && name != "insecure":
		return at(key, "unknown field %q", sanitize.Line(name))
	case value.Kind != yaml.ScalarNode:
		return at(value, "%s is not a text", name)
	case strings.TrimSpace(value.Value) == "" || isNull(value):
		return &fault.Error{Err: at(key, "%s is given and empty", name), Help: "is a variable not set?"}
	case ok:
		*field = value.Value
		return nil
	}
	if value.Tag != "!!bool" {
		return at(value, "insecure is neither true nor false")
	}
	yes := strings.EqualFold(value.Value, "true")
	l.Insecure = &yes
	return nil
}

// resolved returns what an alias stands for, or the node itself.
func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.Tag == "!!merge" }

// placed is an error at a place of a file.
type placed struct {
	line, column int
	text         string
}

func (p *placed) Error() string { return p.text }

// at returns an error at the place of a node.
func at(node *yaml.Node, format string, args ...any) error {
	return &placed{node.Line, node.Column, fmt.Sprintf(format, args...)}
}

// misplaced puts a file and the place in it before an error: "FILE:LINE:COLUMN: text".
func misplaced(path string, err error) error {
	p, load, of := &placed{}, &yaml.LoadError{}, &fault.Error{}
	switch {
	case errors.As(err, &p):
	case errors.As(err, &load):
		p = &placed{load.Mark.Line, load.Mark.Column, cmp.Or(load.Message, err.Error())}
	default:
		return fmt.Errorf("%s: %w", path, err)
	}
	errors.As(err, &of)
	return &fault.Error{Err: fmt.Errorf("%s:%d:%d: %s", path, p.line, p.column, p.text), Help: of.Help}
}

package topfile

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxRead bounds what is read of the SLS of one bundle, in bytes.
const maxRead = 64 << 20

// sourceKeys are the arguments of states that take a file of the fileserver.
var sourceKeys = map[string]bool{
	"source": true, "name": true, "source_hash": true, "requirements": true, "key_url": true,
}

// contents are arguments of states whose values are no arguments of states.
var contents = map[string]bool{"context": true, "defaults": true, "dataset": true, "pillar": true, "env": true}

// A reference is something that an SLS names, as far as it is visible.
type reference struct {
	// names are an SLS, or the alternatives of a source: one of them has to be there.
	names        []string
	include      bool
	line, column int
}

// references checks what the SLS visibly refer to, from those that are deployed
// through their includes. What only Jinja includes is not looked at.
func (c *checker) references(roots []string) {
	queue, seen, read := roots, map[string]bool{}, 0
	for len(queue) > 0 && read < maxRead && c.ctx.Err() == nil {
		sls := queue[0]
		queue = queue[1:]
		file, ok := c.file(sls)
		if !ok || seen[file] {
			continue
		}
		seen[file] = true
		source, err := c.readFile(file)
		if read += len(source); err != nil || len(source) > MaxSize {
			continue // the bundler tells it, or it is too large to have been written by hand
		}
		found, otherEnvs := visible(source)
		c.result.OtherEnvs = c.result.OtherEnvs || otherEnvs
		for _, r := range found {
			if r.include {
				queue = append(queue, c.include(sls, file, r)...)
			} else {
				c.source(file, r)
			}
		}
	}
}

// include checks an include of an SLS and returns the names of what is there.
func (c *checker) include(sls, file string, r reference) []string {
	name, ok := relative(sls, file, r.names[0])
	if !ok {
		return nil
	}
	found, missing := c.included(name)
	for _, lacking := range missing {
		c.addAt(KindReference, Warning, file, r.line, r.column, " includes %s, and %s", show(r.names[0]), c.lack(lacking))
	}
	return found
}

// relative returns what an include means in an SLS (render_state in salt/state.py):
// each dot that it begins with goes up one level.
func relative(sls, file, include string) (string, bool) {
	rest := strings.TrimLeft(include, ".")
	up := len(include) - len(rest)
	if up == 0 {
		return include, true
	}
	parts := strings.Split(sls, ".")
	if strings.HasSuffix(file, "/init.sls") {
		parts = append(parts, "init")
	}
	if up > len(parts) || rest == "" {
		return "", false
	}
	return strings.Join(append(parts[:len(parts)-up:len(parts)-up], rest), "."), true
}

// source checks a source of a state, with its alternatives.
func (c *checker) source(file string, r reference) {
	if slices.ContainsFunc(r.names, func(name string) bool { return !c.lacksSource(name) }) {
		return
	}
	if len(r.names) == 1 {
		c.addAt(KindReference, Warning, file, r.line, r.column, " names the source %s, which is not in the bundle%s", show(r.names[0]), c.elsewhere(r.names[0]))
		return
	}
	c.addAt(KindReference, Warning, file, r.line, r.column, " names sources of which none is in the bundle: %s", enumerate(r.names))
}

// elsewhere says where the bundle has files of the name of a source, such as an artifact
// below the directory that it was built in. It looks as long as lack does.
func (c *checker) elsewhere(url string) string {
	if len(c.result.Findings) == maxFindings {
		return ""
	}
	const most = 3
	base := path.Base(url)
	var found []string
	for name := range c.bundle.Names() {
		if c.compared += len(name); c.compared > maxCompared {
			break
		}
		if path.Base(name) == base && !strings.HasSuffix(name, "/") && len(found) < most {
			found = append(found, show("salt://"+name))
		}
	}
	if len(found) == 0 {
		return ""
	}
	slices.Sort(found)
	return "; it has " + strings.Join(found, ", ")
}

// lacksSource tells whether the bundle is known not to have what a salt:// URL names.
func (c *checker) lacksSource(url string) bool {
	name, env, other := strings.Cut(strings.TrimPrefix(url, "salt://"), "?saltenv=")
	name = strings.TrimSuffix(strings.TrimPrefix(name, "|"), "/")
	switch {
	case other && env != c.opts.saltenv():
		return false
	case strings.ContainsAny(name, "?*%|"), strings.HasPrefix(name, "/"), name != "" && path.Clean(name) != name:
		return false
	}
	return !c.has(name)
}

// visible returns the references of an SLS that can be seen without rendering it. It skips
// lines with Jinja, files for another renderer, and files that are not YAML without their
// Jinja.
func visible(source []byte) (found []reference, otherEnvs bool) {
	if !defaultRenderer(source) {
		return nil, true
	}
	text, jinja := blank(newlines(source))
	root, err := decodeOne(text)
	if err != nil || root == nil || root.Kind != yaml.MappingNode {
		return nil, len(jinja) > 0
	}
	v := &viewer{jinja: jinja, seen: map[*yaml.Node]bool{}}
	for key, value := range pairs(root) {
		if key.Value == "include" {
			v.includes(target(value))
		} else {
			v.walk(value)
		}
	}
	return v.found, v.otherEnvs
}

type viewer struct {
	jinja map[int]bool
	seen  map[*yaml.Node]bool
	found []reference

	otherEnvs bool // whether an include is, or may be, one of another saltenv
}

// plain tells whether a node is a text without Jinja in its lines.
func (v *viewer) plain(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value != "" && !v.jinja[n.Line] && !strings.Contains(n.Value, "\n") && tag(n) == tagStr
}

func (v *viewer) includes(list *yaml.Node) {
	if list.Kind != yaml.SequenceNode {
		return
	}
	for _, item := range list.Content {
		item = target(item)
		v.otherEnvs = v.otherEnvs || item.Kind == yaml.MappingNode || v.jinja[item.Line]
		if v.plain(item) {
			v.found = append(v.found, reference{[]string{item.Value}, true, item.Line, item.Column})
		}
	}
}

// walk looks for sources at and below a node. An alias is looked at once.
func (v *viewer) walk(n *yaml.Node) {
	if n = target(n); v.seen[n] {
		return
	}
	v.seen[n] = true
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		key, value := target(n.Content[i]), target(n.Content[i+1])
		if sourceKeys[key.Value] && !v.jinja[key.Line] {
			v.source(value)
		}
		if contents[key.Value] { // which are for a template
			v.seen[value] = true
		}
	}
	for _, child := range n.Content {
		v.walk(child)
	}
}

// source notes a salt:// URL, or a list of them if all are visible.
func (v *viewer) source(n *yaml.Node) {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	var names []string
	for _, item := range items {
		item = target(item)
		if item.Kind == yaml.MappingNode && len(item.Content) == 2 { // URL: hash
			item = target(item.Content[0])
		}
		if !v.plain(item) || !strings.HasPrefix(item.Value, "salt://") {
			return
		}
		names = append(names, item.Value)
	}
	if len(names) > 0 {
		v.found = append(v.found, reference{names, false, items[0].Line, items[0].Column})
	}
}

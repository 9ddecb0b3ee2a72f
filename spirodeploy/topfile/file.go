package topfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A File is a top file as the server reads it: a mapping of deployments in
// spirotop.sls, of saltenvs in top.sls.
type File struct {
	root *yaml.Node
}

// Parse reads a top file. The error is a [*SyntaxError] if the server refuses the
// file. A file that is empty, or that Python takes for false, has no sections.
func Parse(source []byte) (*File, error) {
	if len(source) > MaxSize {
		return nil, &SyntaxError{Exception: "MemoryError", Problem: fmt.Sprintf("the file has more than %d bytes", MaxSize)}
	}
	root, err := construct(source)
	switch {
	case err != nil:
		return nil, err
	case root == nil || !truthy(root):
		return &File{&yaml.Node{}}, nil
	case root.Tag != tagMap:
		return nil, &SyntaxError{
			Line: root.Line, Column: root.Column, Problem: "the file is " + noun(root) + ", not a mapping",
			Exception: "AttributeError: '" + types[root.Tag].python + "' object has no attribute 'get'",
		}
	}
	return &File{root}, nil
}

// Empty tells whether the file has nothing in it. The server makes no top.sls of
// an empty spirotop.sls.
func (f *File) Empty() bool { return len(f.root.Content) == 0 }

// Names returns the names of the sections in the order of the file. It leaves out keys
// that are not texts, such as on, 1 and null.
func (f *File) Names() []string {
	var all []string
	for key := range pairs(f.root) {
		if key.Tag == tagStr {
			all = append(all, key.Value)
		}
	}
	return all
}

// other returns the key that is written like a name but is not a text, or nil.
func (f *File) other(name string) *yaml.Node {
	for key := range pairs(f.root) {
		if key.Tag != tagStr && key.Value == name && name != "" {
			return key
		}
	}
	return nil
}

// A Section says which minions get which SLS in one deployment or saltenv. A nil Section
// names none.
type Section struct {
	// Name is the key.
	Name string
	// Line and Column are where the key is, from 1.
	Line, Column int
	// Targets are in the order of the file. SpiroFS sorts them by expression when
	// it makes top.sls.
	Targets []Target
	// Template means that a text of the section has Jinja. Salt renders top.sls,
	// also one that SpiroFS made, so that nothing is known of such a section, and
	// Targets is empty.
	Template bool

	faults []Finding
	broken bool
}

// A Target is a key of a section.
type Target struct {
	// Expression is the key. A key that is not a text is here as written, and matches no
	// minion.
	Expression string
	// Match is the match type: compound, unless the list says otherwise.
	Match string
	// SLS are the SLS of the list, in its order.
	SLS []SLS
	// Line and Column are where the key is, from 1.
	Line, Column int

	text bool
}

// An SLS is a name in the list of a target. It may have wildcards.
type SLS struct {
	Name string
	// Env is the saltenv if the list names another one ({env: name}).
	Env          string
	Line, Column int
}

// Section returns the section of a name. It is false if no key of the file is
// that text.
func (f *File) Section(name string) (*Section, bool) {
	key, value := get(f.root, name)
	if key == nil {
		return nil, false
	}
	s := &Section{Name: name, Line: key.Line, Column: key.Column}
	if size(value, maxWork) >= maxWork {
		s.breakAt(key, "aliases (*) make more than %d values of this section", maxWork)
		return s, true
	}
	if s.Template = hasJinja(name) || anyText(value, hasJinja); s.Template {
		return s, true
	}
	switch {
	case value.Tag == tagMap:
		for target, list := range pairs(value) {
			s.Targets = append(s.Targets, s.target(target, list))
		}
	case value.Tag != tagSeq && value.Tag != tagStr || truthy(value):
		s.breakAt(key, "%s is %s, not a mapping of targets", show(name), noun(value))
	}
	return s, true
}

// breakAt notes a shape because of which Salt refuses the top file, for every minion.
func (s *Section) breakAt(n *yaml.Node, format string, args ...any) {
	s.faultAt(n, Problem, format+"; Salt then finds no minion, for this deployment and for every other one of the master", args...)
	s.broken = true
}

// faultAt notes what Salt makes of something with the wrong shape.
func (s *Section) faultAt(n *yaml.Node, severity Severity, format string, args ...any) {
	s.faults = append(s.faults, Finding{Severity: severity, Line: n.Line, Column: n.Column, Text: fmt.Sprintf(format, args...)})
}

// Broken tells whether the section has a shape that Salt refuses. It then finds no
// minion: not for this deployment, and not for the others of the master, whose top
// files it reads in one go.
func (s *Section) Broken() bool { return s != nil && s.broken }

// HasTargets tells whether the section names anybody. It is true if the section
// has Jinja, for then it may.
func (s *Section) HasTargets() bool { return s != nil && (s.Template || len(s.Targets) > 0) }

// Expected returns the ids of the minions that the section concerns whatever
// their grains are: each once, in the order in which it names them.
func (s *Section) Expected() []string {
	if s == nil {
		return nil
	}
	var ids []string
	for _, t := range s.Targets {
		ids = append(ids, t.Expected()...)
	}
	return once(ids, func(id string) string { return id })
}

// SLS returns the SLS that the section names for its own saltenv: each once, in
// the order of the file. Saltenv is PROJECT/DEPLOYMENT; it may be empty.
func (s *Section) SLS(saltenv string) []SLS {
	if s == nil {
		return nil
	}
	var all []SLS
	for _, t := range s.Targets {
		all = append(all, t.SLS...)
	}
	all = slices.DeleteFunc(all, func(sls SLS) bool { return sls.Env != "" && sls.Env != saltenv })
	return once(all, func(sls SLS) string { return sls.Name })
}

// once leaves the first of those with one name.
func once[T any](all []T, name func(T) string) []T {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(it T) bool {
		again := seen[name(it)]
		seen[name(it)] = true
		return again
	})
}

// matchTypes are Salt's (salt/matchers in 3005.5).
var matchTypes = []string{
	"cache", "compound", "data", "glob", "grain", "grain_pcre", "ipcidr", "list", "nodegroup", "pcre",
	"pillar", "pillar_exact", "pillar_pcre", "range",
}

func (s *Section) target(key, list *yaml.Node) Target {
	t := Target{Expression: key.Value, Match: "compound", Line: key.Line, Column: key.Column, text: key.Tag == tagStr}
	if !t.text {
		s.faultAt(key, Warning, "the target %s is %s, which matches no minion: put it in quotes", show(t.Expression), noun(key))
	}
	if list.Tag != tagSeq {
		example := "web"
		if list.Tag == tagStr && list.Value != "" {
			example = show(list.Value)
		}
		s.breakAt(key, "the SLS of the target %s are %s, not a list: write it as '%s': [%s]", show(t.Expression), noun(list), show(t.Expression), example)
		return t
	}
	for _, item := range list.Content {
		s.item(&t, item)
	}
	s.doubt(key, &t)
	return t
}

// item reads an item of a target's list: the name of an SLS, a match type, or an
// SLS of another saltenv.
func (s *Section) item(t *Target, item *yaml.Node) {
	switch item.Tag {
	case tagStr:
		if item.Value == "" {
			s.breakAt(item, "the target %s has an SLS without a name", show(t.Expression))
			return
		}
		t.SLS = append(t.SLS, SLS{Name: item.Value, Line: item.Line, Column: item.Column})
	case tagMap:
		s.option(t, item)
	case tagSeq:
		s.faultAt(item, Warning, "the target %s has a list in its list, which Salt leaves out", show(t.Expression))
	default:
		s.faultAt(item, Problem, "%s in the list of the target %s is %s, not the name of an SLS: put it in quotes",
			show(cmp.Or(item.Value, "an item")), show(t.Expression), noun(item))
	}
}

func (s *Section) option(t *Target, item *yaml.Node) {
	if len(item.Content) == 0 {
		s.faultAt(item, Problem, "the target %s has an empty mapping in its list, on which Salt fails", show(t.Expression))
		return
	}
	// Salt takes the last entry of the mapping that SpiroFS has sorted.
	last, sls := item.Content[0], item.Content[1]
	for key, value := range pairs(item) {
		if !truthy(value) {
			s.breakAt(key, "%s in the list of the target %s has no value: if it is an SLS, take away the colon", show(key.Value), show(t.Expression))
		}
		if key.Tag == tagStr && last.Tag == tagStr && key.Value > last.Value {
			last, sls = key, value
		}
	}
	if key, match := get(item, "match"); key != nil {
		t.Match = match.Value
		if match.Tag != tagStr {
			t.Match = ""
			s.breakAt(match, "the match type of the target %s is %s, not a text", show(t.Expression), noun(match))
		}
	}
	if last.Value != "match" && sls.Tag == tagStr && sls.Value != "" {
		t.SLS = append(t.SLS, SLS{Name: sls.Value, Env: last.Value, Line: sls.Line, Column: sls.Column})
	}
}

// doubt notes a target that Salt takes otherwise than its writer meant.
func (s *Section) doubt(key *yaml.Node, t *Target) {
	warn := func(format string, args ...any) { s.faultAt(key, Warning, format, args...) }
	switch {
	case !t.text || t.Match == "":
	case !slices.Contains(matchTypes, t.Match):
		help := ""
		if near := nearest(t.Match, matchTypes); near != "" {
			help = ": did you mean " + near + "?"
		}
		warn("the target %s has the match type %s, which is none of Salt's own%s", show(t.Expression), show(t.Match), help)
	case t.Match == "compound" && !t.wellFormed():
		warn("the target %s is no compound expression that Salt can read, so it matches no minion", show(t.Expression))
	case t.Match == "list" && slices.ContainsFunc(strings.Split(t.Expression, ","), spaced):
		warn("the list %s has spaces, which Salt takes for a part of the ids", show(t.Expression))
	case t.Match == "glob" && strings.Contains(strings.TrimSpace(t.Expression), " "):
		warn("the target %s is one pattern to Salt, spaces and all, because its match type is glob", show(t.Expression))
	case t.Match == "glob" || t.Match == "compound" && !strings.Contains(t.Expression, "L@"):
		for _, id := range t.Expected() {
			if strings.Contains(id, ",") {
				warn("the target %s is one id to Salt: for a list, write L@%s", show(id), show(id))
			}
		}
	}
}

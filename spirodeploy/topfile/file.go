package topfile

import (
	"fmt"
	"slices"
	"strings"
)

// A File is a top file as the server reads it: a mapping of deployments in
// spirotop.sls, of saltenvs in top.sls.
type File struct {
	root *value
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
	case root == nil || !root.truthy():
		return &File{&value{kind: kindMap}}, nil
	case root.kind != kindMap:
		return nil, &SyntaxError{
			Line: root.line, Column: root.column, Problem: "the file is " + names[root.kind] + ", not a mapping",
			Exception: "AttributeError: '" + pythonTypes[root.kind] + "' object has no attribute 'get'",
		}
	}
	return &File{root}, nil
}

var pythonTypes = map[kind]string{
	kindBool: "bool", kindInt: "int", kindFloat: "float", kindStr: "str", kindBytes: "bytes", kindSeq: "list", kindSet: "set",
}

// Empty tells whether the file has nothing in it. The server makes no top.sls of
// an empty spirotop.sls.
func (f *File) Empty() bool { return len(f.root.pairs) == 0 }

// Names returns the names of the sections in the order of the file. It leaves out keys
// that are not texts, such as on, 1 and null.
func (f *File) Names() []string {
	var all []string
	for _, p := range f.root.pairs {
		if p.key.kind == kindStr {
			all = append(all, p.key.text)
		}
	}
	return all
}

// other returns the key that is written like a name but is not a text.
func (f *File) other(name string) (*value, bool) {
	for _, p := range f.root.pairs {
		if p.key.kind != kindStr && p.key.raw == name && name != "" {
			return p.key, true
		}
	}
	return nil, false
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

	faults []fault
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

	text   bool
	custom bool // the match type is none of Salt's own
}

// An SLS is a name in the list of a target. It may have wildcards.
type SLS struct {
	Name string
	// Env is the saltenv if the list names another one ({env: name}).
	Env          string
	Line, Column int
}

// A fault is what Salt makes of something with the wrong shape.
type fault struct {
	line, column int
	text         string
	severity     Severity
	// breaks means that Salt then refuses the top file, for every minion.
	breaks bool
}

// Section returns the section of a name. It is false if no key of the file is
// that text.
func (f *File) Section(name string) (*Section, bool) {
	p, ok := f.root.get(name)
	if !ok {
		return nil, false
	}
	s := &Section{Name: name, Line: p.key.line, Column: p.key.column}
	if p.value.size(maxWork) >= maxWork {
		s.breakAt(p.key, "aliases (*) make more than %d values of this section", maxWork)
		return s, true
	}
	if s.Template = hasJinja(name) || p.value.anyText(hasJinja); s.Template {
		return s, true
	}
	switch {
	case p.value.kind == kindMap:
	case (p.value.kind == kindSeq || p.value.kind == kindStr) && !p.value.truthy():
		return s, true
	default:
		s.breakAt(p.key, "%s is %s, not a mapping of targets", show(name), names[p.value.kind])
		return s, true
	}
	for _, target := range p.value.pairs {
		s.Targets = append(s.Targets, s.target(target))
	}
	return s, true
}

func (s *Section) breakAt(v *value, format string, args ...any) {
	s.faults = append(s.faults, fault{v.line, v.column, fmt.Sprintf(format, args...), Problem, true})
}

func (s *Section) faultAt(v *value, severity Severity, format string, args ...any) {
	s.faults = append(s.faults, fault{v.line, v.column, fmt.Sprintf(format, args...), severity, false})
}

// Broken tells whether the section has a shape that Salt refuses. It then finds no
// minion: not for this deployment, and not for the others of the master, whose top
// files it reads in one go.
func (s *Section) Broken() bool {
	return s != nil && slices.ContainsFunc(s.faults, func(f fault) bool { return f.breaks })
}

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

func (s *Section) target(p pair) Target {
	t := Target{Expression: quoteKey(p.key), Match: "compound", Line: p.key.line, Column: p.key.column, text: p.key.kind == kindStr}
	if !t.text {
		s.faultAt(p.key, Warning, "the target %s is %s, which matches no minion: put it in quotes", show(t.Expression), names[p.key.kind])
	}
	if p.value.kind != kindSeq {
		s.breakAt(p.key, "the SLS of the target %s are %s, not a list: write it as '%s': [web]", show(t.Expression), names[p.value.kind], show(t.Expression))
		return t
	}
	for _, item := range p.value.items {
		s.item(&t, item)
	}
	t.custom = !slices.Contains(matchTypes, t.Match)
	s.doubt(t)
	return t
}

// item reads an item of a target's list: the name of an SLS, a match type, or an
// SLS of another saltenv.
func (s *Section) item(t *Target, item *value) {
	switch {
	case item.kind == kindStr && item.text == "":
		s.breakAt(item, "the target %s has an SLS without a name", show(t.Expression))
	case item.kind == kindStr:
		t.SLS = append(t.SLS, SLS{Name: item.text, Line: item.line, Column: item.column})
	case item.kind == kindMap:
		s.option(t, item)
	case item.kind == kindSeq:
		s.faultAt(item, Warning, "the target %s has a list in its list, which Salt leaves out", show(t.Expression))
	default:
		s.faultAt(item, Problem, "%s in the list of the target %s is %s, not the name of an SLS: put it in quotes",
			show(word(item)), show(t.Expression), names[item.kind])
	}
}

func word(v *value) string {
	if v.raw == "" {
		return "an item"
	}
	return v.raw
}

func (s *Section) option(t *Target, item *value) {
	if len(item.pairs) == 0 {
		s.faultAt(item, Problem, "the target %s has an empty mapping in its list, on which Salt fails", show(t.Expression))
		return
	}
	for _, p := range item.pairs {
		if !p.value.truthy() {
			s.breakAt(p.key, "%s in the list of the target %s has no value: if it is an SLS, take away the colon", show(quoteKey(p.key)), show(t.Expression))
		}
	}
	if match, ok := item.get("match"); ok {
		t.Match = match.value.text
		if match.value.kind != kindStr {
			s.breakAt(match.value, "the match type of the target %s is %s, not a text", show(t.Expression), names[match.value.kind])
		}
	}
	// Salt takes the last entry of the mapping that SpiroFS has sorted.
	last := item.pairs[0]
	for _, p := range item.pairs {
		if p.key.kind == kindStr && last.key.kind == kindStr && p.key.text > last.key.text {
			last = p
		}
	}
	if last.key.text != "match" && last.value.kind == kindStr && last.value.text != "" {
		t.SLS = append(t.SLS, SLS{Name: last.value.text, Env: quoteKey(last.key), Line: last.value.line, Column: last.value.column})
	}
}

// doubt notes a target that Salt takes otherwise than its writer meant.
func (s *Section) doubt(t Target) {
	at := &value{line: t.Line, column: t.Column}
	switch {
	case !t.text || t.Match == "":
	case t.custom:
		help := ""
		if near := nearest(t.Match, matchTypes); near != "" {
			help = ": did you mean " + near + "?"
		}
		s.faultAt(at, Warning, "the target %s has the match type %s, which is none of Salt's own%s", show(t.Expression), show(t.Match), help)
	case t.Match == "compound" && !wellFormed(t.Expression):
		s.faultAt(at, Warning, "the target %s is no compound expression that Salt can read, so it matches no minion", show(t.Expression))
	case t.Match == "list" && slices.ContainsFunc(strings.Split(t.Expression, ","), func(id string) bool { return strings.TrimSpace(id) != id }):
		s.faultAt(at, Warning, "the list %s has spaces, which Salt takes for a part of the ids", show(t.Expression))
	case t.Match == "glob" && strings.Contains(strings.TrimSpace(t.Expression), " "):
		s.faultAt(at, Warning, "the target %s is one pattern to Salt, spaces and all, because its match type is glob", show(t.Expression))
	case t.Match == "compound" || t.Match == "glob":
		for _, id := range t.Expected() {
			if t.Match == "compound" && strings.Contains(t.Expression, "L@") {
				break
			}
			if strings.Contains(id, ",") {
				s.faultAt(at, Warning, "the target %s is one id to Salt: for a list, write L@%s", show(id), show(id))
			}
		}
	}
}

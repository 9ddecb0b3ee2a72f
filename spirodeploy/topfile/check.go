package topfile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Options say what is checked, and how it is told.
type Options struct {
	// Project is needed for a top.sls, whose sections are PROJECT/DEPLOYMENT. If it
	// is empty, nothing is known of a top.sls but whether it is YAML.
	Project string
	// Deployment is the deployment that is sent. If it is empty, every deployment
	// of spirotop.sls is checked.
	Deployment string
	// Prefix stands before the names of files in texts: "_salt/" for a project whose
	// _salt directory becomes the bundle, and nothing for a bundle from elsewhere.
	Prefix string
}

func (o Options) saltenv() string {
	if o.Project == "" || o.Deployment == "" {
		return ""
	}
	return o.Project + "/" + o.Deployment
}

// name returns a file's name for a text.
func (o Options) name(file string) string {
	if strings.HasPrefix(file, "_artifacts/") || strings.HasPrefix(file, "_source/") {
		return show(file)
	}
	return show(o.Prefix + file)
}

// The names of the two top files.
const (
	SpiroTop = "spirotop.sls"
	Top      = "top.sls"
)

// A Result is what a bundle's top file says.
type Result struct {
	// File is the top file that the server goes by: [Top], [SpiroTop], or nothing.
	File string
	// Section is what it says of the deployment. It is nil if there is no such
	// section, no deployment was named, or the file cannot be read. If a top.sls has
	// Jinja, it is a [Section] of which only Template is known.
	Section *Section
	// Findings are in the order of the checks, and of the lines.
	Findings []Finding
	// OtherEnvs tells that the section, or an include that is visible, names an SLS of another
	// saltenv. Which SLS are applied is then not known.
	OtherEnvs bool
}

// maxFindings bounds the list. A last finding says how many more there are.
const maxFindings = 100

// Check looks at what a bundle deploys: its top file, the SLS that this names, and
// what those visibly refer to. The error is that of the context, or of none.
func Check(ctx context.Context, b Bundle, opts Options) (*Result, error) {
	c := &checker{ctx: ctx, bundle: b, opts: opts, room: maxGlobbed, result: &Result{}}
	c.references(c.topFile())
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if s := c.result.Section; s != nil {
		c.result.OtherEnvs = c.result.OtherEnvs || s.Template || slices.ContainsFunc(s.Targets, func(t Target) bool {
			return slices.ContainsFunc(t.SLS, func(sls SLS) bool { return sls.Env != "" })
		})
	}
	if c.more > 0 {
		last := &c.result.Findings[maxFindings-1]
		last.Text += fmt.Sprintf(" (and %d more findings)", c.more)
	}
	return c.result, nil
}

type checker struct {
	ctx    context.Context //nolint:containedctx // that of the one call of Check
	bundle Bundle
	opts   Options
	result *Result
	more   int      // findings that are not in the result
	sls    []string // of list
	room   int      // how many more names are held against globs

	letters  int // of all names in sls
	compared int // of maxCompared
}

// add notes a finding, in bounds.
func (c *checker) add(f Finding) {
	if len(c.result.Findings) == maxFindings {
		c.more++
		return
	}
	c.result.Findings = append(c.result.Findings, f)
}

func (c *checker) addAt(kind Kind, severity Severity, file string, line, column int, format string, args ...any) {
	place := c.opts.name(file)
	if line > 0 {
		place = fmt.Sprintf("%s:%d:%d", place, line, column)
	}
	c.add(Finding{kind, severity, file, line, column, place + fmt.Sprintf(format, args...)})
}

// topFile checks the top file, and returns the SLS that are deployed.
func (c *checker) topFile() []string {
	own, spiro := c.has(Top), c.has(SpiroTop)
	switch {
	case own && spiro:
		c.add(Finding{KindBoth, Warning, SpiroTop, 0, 0, fmt.Sprintf(
			"the bundle has both %s and %s: the server goes by the first and does not look at the second, so take one of them away",
			c.opts.name(Top), c.opts.name(SpiroTop))})
		return c.ownTop()
	case own:
		return c.ownTop()
	case spiro:
		return c.spiroTop()
	default:
		c.none()
		return nil
	}
}

// none tells what happens without a top file, and how to write one.
func (c *checker) none() {
	first := "" // without the list of all, for there may be very many
	for sls := range c.all {
		if first == "" || sls < first {
			first = sls
		}
	}
	c.add(Finding{KindNone, Warning, "", 0, 0, fmt.Sprintf(
		"the bundle has no %s (and no %s), so a highstate concerns no minion, unless the master's base environment names this one: "+
			"write a %s that says who gets which SLS, for example %s: {'web*': [%s]}",
		c.opts.name(SpiroTop), c.opts.name(Top), c.opts.name(SpiroTop), show(cmp.Or(c.opts.Deployment, "prod")), show(cmp.Or(first, "web")))})
}

// parse reads a top file, and notes why it cannot. A top.sls may be a template,
// of which nothing is known until Salt has rendered it.
func (c *checker) parse(name string) (file *File, template bool) {
	source, err := c.readFile(name)
	switch {
	case err != nil:
		c.addAt(KindRead, Problem, name, 0, 0, " cannot be read: %v", err)
		return nil, false
	case len(source) > MaxSize:
		c.addAt(KindSize, Problem, name, 0, 0, " cannot be checked: it has more than %d bytes", MaxSize)
		return nil, false
	case name == Top && Template(source):
		return nil, true
	}
	file, err = Parse(source)
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		text := show(syntax.Problem)
		if syntax.Hint != "" {
			text += ": " + show(syntax.Hint)
		}
		c.addAt(KindYAML, Problem, name, syntax.Line, syntax.Column, ": the server cannot read this: %s", text)
	}
	return file, false
}

func (c *checker) spiroTop() []string {
	c.result.File = SpiroTop
	file, _ := c.parse(SpiroTop)
	if file == nil {
		return nil
	}
	if c.opts.Deployment == "" {
		var all []string
		for _, name := range file.Names() {
			section, _ := file.Section(name)
			all = append(all, c.section(section, name)...)
		}
		return all
	}
	section, ok := file.Section(c.opts.Deployment)
	if !ok {
		c.absent(file)
		return nil
	}
	c.result.Section = section
	return c.section(section, "deployment "+show(section.Name))
}

// absent tells that spirotop.sls does not have the deployment.
func (c *checker) absent(file *File) {
	deployment := c.opts.Deployment
	text := fmt.Sprintf("deployment %s is not in %s", show(deployment), c.opts.name(SpiroTop))
	sections := file.Names()
	line, column := 0, 0
	switch key := file.other(deployment); {
	case key != nil:
		line, column = key.Line, key.Column
		text += fmt.Sprintf(": in YAML the key %s in line %d is %s, so put it in quotes", show(deployment), key.Line, noun(key))
	case len(sections) == 0:
		text += ", which names no deployment"
	default:
		text += "; it has " + enumerate(sections)
		if slices.Contains(sections, c.opts.saltenv()) {
			text += ": name it " + show(deployment) + " there, and the server puts the project before it"
		} else if near := nearest(deployment, sections); near != "" {
			text += ": did you mean " + show(near) + "?"
		}
	}
	c.add(Finding{KindDeployment, Problem, SpiroTop, line, column, text})
}

func (c *checker) ownTop() []string {
	c.result.File = Top
	file, template := c.parse(Top)
	saltenv := c.opts.saltenv()
	if file == nil {
		if template {
			c.result.Section = &Section{Name: saltenv, Template: true}
		}
		return nil
	}
	if saltenv == "" {
		return nil
	}
	section, ok := file.Section(saltenv)
	include, _ := get(file.root, "include")
	switch {
	case ok:
		c.result.Section = section
		return c.section(section, "saltenv "+show(saltenv))
	case include != nil:
		c.result.Section = &Section{Name: saltenv, Template: true}
	default:
		text := fmt.Sprintf("%s has no section %s, the only one that Salt looks at", c.opts.name(Top), show(saltenv))
		if names := file.Names(); len(names) > 0 {
			text += "; it has " + enumerate(names)
			if near := nearest(saltenv, names); near != "" {
				text += ": did you mean " + show(saltenv) + " for " + show(near) + "?"
			}
		}
		c.add(Finding{KindDeployment, Problem, Top, 0, 0, text})
	}
	return nil
}

// section notes what is wrong with a section, and returns the SLS that it deploys.
func (c *checker) section(s *Section, what string) []string {
	for _, f := range s.faults {
		c.addAt(KindShape, f.Severity, c.result.File, f.Line, f.Column, ": %s", f.Text)
	}
	if !s.HasTargets() && !s.Broken() {
		c.addAt(KindTargets, Warning, c.result.File, s.Line, s.Column, ": %s has no targets, so a highstate concerns no minion", what)
	}
	var all []string
	for _, sls := range s.SLS(c.opts.saltenv()) {
		found, missing := c.find(sls.Name)
		for _, name := range missing {
			names := "names the SLS " + show(sls.Name)
			if name != sls.Name {
				names += ", which matches " + show(name)
			}
			c.addAt(KindSLS, Problem, c.result.File, sls.Line, sls.Column, " %s, and %s", names, c.lack(name))
		}
		all = append(all, found...)
	}
	return all
}

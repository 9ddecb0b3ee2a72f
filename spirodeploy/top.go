package spirodeploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

// TopOptions are options of [CheckTop].
type TopOptions struct {
	// Project and Deployment name the saltenv. If Deployment is empty, all deployments
	// of the top file are checked.
	Project, Deployment string
	// Foreign means that the bundle was not made from a project: texts then name its files
	// without _salt/.
	Foreign bool
	// Tolerant makes warnings of these problems: the top file lacks the deployment, names
	// an SLS that is not in the bundle, or has a shape that Salt refuses.
	Tolerant bool
	// NoHighstate means that no minion is highstated, so the top file need not name one.
	NoHighstate bool
}

// A TopBundle is what CheckTop looks at, such as a [bundle.Bundle].
type TopBundle interface {
	Items() iter.Seq[bundle.Item]
	Has(name string) (dir, ok bool)
	OpenItem(name string) (io.ReadCloser, error)
}

// CheckTop checks the top file of a bundle, the SLS that it names, and the files to which
// these visibly refer. It returns the section of the deployment, the problems that keep
// the bundle from being deployed, and warnings.
func CheckTop(ctx context.Context, b TopBundle, o TopOptions) (result *topfile.Result, problems []error, warnings []string) {
	opts := topfile.Options{Project: o.Project, Deployment: o.Deployment, Prefix: "_salt/"}
	if o.Foreign {
		opts.Prefix = ""
	}
	result, err := topfile.Check(ctx, newFiles(b), opts)
	if err != nil {
		return &topfile.Result{}, []error{fmt.Errorf("check the top file: %w", err)}, nil
	}
	for _, f := range result.Findings {
		text := sanitize.Line(f.Text)
		switch {
		case o.NoHighstate && (f.Kind == topfile.KindNone || f.Kind == topfile.KindTargets):
		case f.Severity == topfile.Problem && !o.tolerates(f.Kind):
			problems = append(problems, errors.New(text))
		default:
			warnings = append(warnings, text)
		}
	}
	return result, problems, warnings
}

// tolerates reports whether a problem is a warning only. Without a highstate, the top file
// need not name a minion or an existing SLS; but a shape that Salt refuses also keeps it
// from finding the minions of other projects.
func (o TopOptions) tolerates(kind topfile.Kind) bool {
	switch kind {
	case topfile.KindDeployment, topfile.KindSLS:
		return o.Tolerant || o.NoHighstate
	case topfile.KindShape:
		return o.Tolerant
	}
	return false
}

// checkTop checks the top file for the target, and expects the minions that it names.
func (l *leg) checkTop(ctx context.Context, tar *bundle.Bundle) (problems []error, warnings []string) {
	o := l.run.opts
	result, problems, warnings := CheckTop(ctx, tar, TopOptions{
		Project: l.project, Deployment: l.deployment, Foreign: o.File != "",
		Tolerant: o.MissingMinions == report.Warn, NoHighstate: o.NoHighstate,
	})
	l.top, l.otherEnvs = result.Section, result.OtherEnvs
	if result.Section == nil {
		return problems, warnings
	}
	top := &report.Top{File: result.File, Targets: []report.TopTarget{}, Template: result.Section.Template}
	for _, t := range result.Section.Targets {
		target := report.TopTarget{Expression: t.Expression, Match: t.Match, SLS: []string{}}
		for _, sls := range t.SLS {
			name := sls.Name
			if sls.Env != "" {
				name = sls.Env + ": " + name
			}
			target.SLS = append(target.SLS, name)
		}
		top.Targets = append(top.Targets, target)
	}
	l.target.Top = top
	if !o.NoHighstate {
		l.target.Expected = union(l.target.Expected, result.Section.Expected())
	}
	return problems, warnings
}

// union returns all texts, each once.
func union(lists ...[]string) []string {
	var all []string
	seen := map[string]bool{}
	for _, list := range lists {
		for _, text := range list {
			if !seen[text] {
				seen[text] = true
				all = append(all, text)
			}
		}
	}
	return all
}

// tellSilent warns of minions that did not answer the server and may be concerned. The
// report tells of expected ones.
func (l *leg) tellSilent(stage report.Stage) {
	expected := map[string]bool{}
	for _, id := range l.target.Expected {
		expected[id] = true
	}
	var names []string
	n := 0
	for _, id := range slices.Sorted(maps.Keys(l.silent)) {
		if expected[id] || !l.mayConcern(id) {
			continue
		}
		if n++; n <= mostNamed {
			names = append(names, sanitize.Line(id))
		}
	}
	if n == 0 {
		return
	}
	if n > mostNamed {
		names = append(names, "and "+human.Thousands(n-mostNamed)+" more")
	}
	l.warn(stage, fmt.Sprintf("the deployment may concern %s that did not answer the server: %s; on the master, salt-run manage.down lists those that are down",
		human.Count(n, "minion", "minions"), strings.Join(names, ", ")))
}

// mostNamed is the number of minions that a warning names.
const mostNamed = 20

// mayConcern reports whether the top file may name a minion.
func (l *leg) mayConcern(id string) bool {
	if l.top == nil || l.top.Template {
		return l.target.Top != nil
	}
	for _, t := range l.top.Targets {
		if t.Matches(id, nil) != topfile.No {
			return true
		}
	}
	return false
}

// files are the files of a bundle as the server sees them: it finds a file through links,
// and does not list directories behind links (SpiroFS 0.3, contents and find_file in
// utils/spiro.py).
type files struct {
	TopBundle
	links map[string]string // by name, the target of each symbolic link
}

func newFiles(b TopBundle) files {
	f := files{b, map[string]string{}}
	for it := range b.Items() {
		if it.Mode&fs.ModeSymlink != 0 {
			name := cleaned(it.Name)
			f.links[name] = path.Join(path.Dir(name), it.Link)
		}
	}
	return f
}

// cleaned returns the name of an entry without the "./" that "tar -C _salt ." puts
// before it.
func cleaned(name string) string {
	for strings.HasPrefix(name, "./") {
		name = name[len("./"):]
	}
	return name
}

// Names yields the entries.
func (f files) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for it := range f.Items() {
			if name := cleaned(it.Name); name != "" && !yield(name) {
				return
			}
		}
	}
}

// Has looks up an entry, through links.
func (f files) Has(name string) (dir, ok bool) {
	to, ok := f.resolve(name)
	if !ok {
		return false, false
	}
	return f.TopBundle.Has(to)
}

// Open opens a file, through links.
func (f files) Open(name string) (io.ReadCloser, error) {
	to, ok := f.resolve(name)
	if !ok {
		return nil, fmt.Errorf("open %s: %w", sanitize.Line(name), fs.ErrInvalid)
	}
	return f.OpenItem(to)
}

// resolve follows all links on the way to an entry. It returns false if they never end.
func (f files) resolve(name string) (to string, ok bool) {
	const most = 40 // as Linux has it
	for range most {
		next, linked := f.follow(name)
		if !linked {
			return name, true
		}
		name = next
	}
	return "", false
}

// follow replaces the first link on the way to a file by its target.
func (f files) follow(name string) (next string, linked bool) {
	if len(f.links) == 0 {
		return name, false
	}
	for end := 0; end < len(name); end++ {
		slash := strings.IndexByte(name[end:], '/')
		if slash < 0 {
			slash = len(name) - end
		}
		end += slash
		if to, ok := f.links[name[:end]]; ok {
			return path.Join(to, strings.TrimPrefix(name[end:], "/")), true
		}
	}
	return name, false
}

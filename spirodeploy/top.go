package spirodeploy

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

// checkTop checks the top file for the target, and records which minions it names.
func (l *leg) checkTop(ctx context.Context, files *preflight.Files) (problems []error, warnings []string) {
	o := l.run.opts
	result, problems, warnings := preflight.Check(ctx, files, preflight.Options{
		Project: l.target.Project, Deployment: l.target.Deployment, Foreign: o.File != "",
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
		l.target.Expected = preflight.Union(l.target.Expected, result.Section.Expected())
	}
	return problems, warnings
}

// tellSilent warns of minions that did not answer the server and may be concerned. The
// report itself tells of those that were expected.
func (l *leg) tellSilent(stage report.Stage) {
	concerned := l.mayConcern()
	for _, id := range l.target.Expected {
		delete(l.silent, id)
	}
	silent := slices.DeleteFunc(slices.Sorted(maps.Keys(l.silent)), func(id string) bool { return !concerned(id) })
	if len(silent) > 0 {
		l.warn(stage, fmt.Sprintf("the deployment may concern %s that did not answer the server: %s; on the master, salt-run manage.down lists those that are down",
			human.Plural(len(silent), "minion"), sanitize.Names(silent)))
	}
}

// maxMatches is how many times a minion is held against a target. The server can name very many
// minions, and the top file very many targets.
const maxMatches = 5_000_000

// mayConcern returns a function that reports whether the top file may name a minion. After
// maxMatches it answers true.
func (l *leg) mayConcern() func(id string) bool {
	if l.top == nil || l.top.Template {
		return func(string) bool { return l.target.Top != nil }
	}
	matchers := make([]func(string) topfile.Answer, len(l.top.Targets))
	for i, t := range l.top.Targets {
		matchers[i] = t.Matcher(nil)
	}
	room := maxMatches
	return func(id string) bool {
		return slices.ContainsFunc(matchers, func(match func(string) topfile.Answer) bool {
			room--
			return room < 0 || match(id) != topfile.No
		})
	}
}

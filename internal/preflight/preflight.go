// Package preflight checks what a bundle deploys before anything is sent: its top file,
// the SLS that this names, and what those visibly refer to.
package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

// Options say what to check. The zero value checks every deployment of a project.
type Options struct {
	// Project and Deployment name the saltenv. Check checks all deployments of the top
	// file if Deployment is empty.
	Project, Deployment string
	// Foreign means that the bundle was not made of a project here: messages name its
	// files without _salt/.
	Foreign bool
	// Tolerant turns problems into warnings: a missing deployment, a missing SLS that the
	// top file names, and a top file that Salt refuses.
	Tolerant bool
	// NoHighstate means that no minion applies the states, so the top file need not name
	// any.
	NoHighstate bool
}

// Check checks the files of a bundle. It returns what the top file says of the
// deployment, the problems that must stop the deployment, and warnings.
func Check(ctx context.Context, f topfile.Bundle, o Options) (result *topfile.Result, problems []error, warnings []string) {
	opts := topfile.Options{Project: o.Project, Deployment: o.Deployment, Prefix: "_salt/"}
	if o.Foreign {
		opts.Prefix = ""
	}
	result, err := topfile.Check(ctx, f, opts)
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

// tolerates reports whether a problem is only a warning. Without a highstate, the
// deployment and its SLS may be missing. A top file that Salt refuses stays a problem:
// Salt then does not find the minions of other projects either.
func (o Options) tolerates(kind topfile.Kind) bool {
	switch kind {
	case topfile.KindDeployment, topfile.KindSLS:
		return o.Tolerant || o.NoHighstate
	case topfile.KindShape:
		return o.Tolerant
	}
	return false
}

// Strict turns warnings into problems.
func Strict(warnings []bundle.Warning, more ...string) []error {
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	var problems []error
	for _, text := range Union(texts, more) {
		problems = append(problems, &fault.Error{Err: errors.New(text), Help: "{strict} allows no warning"})
	}
	return problems
}

// Union returns the texts of all lists, each once, in their order.
func Union(lists ...[]string) []string {
	var all []string
	seen := map[string]bool{}
	for _, text := range slices.Concat(lists...) {
		if !seen[text] {
			seen[text] = true
			all = append(all, text)
		}
	}
	return all
}

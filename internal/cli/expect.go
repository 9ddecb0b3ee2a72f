package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// checkExpectations returns what is wrong with the flags that ask for minions.
func (s *Settings) checkExpectations() []error {
	var errs []error
	for _, id := range s.ExpectMinions {
		errs = append(errs, preflight.CheckTyped(s.Flag("expect-minion"), id))
	}
	return errs
}

// expected returns the ids of the minions that have to be reached.
func (w World) expected(ctx context.Context, s Settings, targets []spirodeploy.Target) ([]string, error) {
	ids := slices.DeleteFunc(slices.Clone(s.ExpectMinions), func(id string) bool { return preflight.CheckTyped("", id) != nil }) // which is a problem already
	if s.ExpectFrom == "" {
		return ids, nil
	}
	if len(targets) == 0 {
		targets = []spirodeploy.Target{{}}
	}
	saltenvs := map[string]bool{}
	for _, t := range targets {
		saltenvs[cmp.Or(t.Project, s.Project)+"/"+cmp.Or(t.Deployment, s.Deployment)] = true
	}
	earlier, err := ctxio.Done(ctx, func() ([]string, error) { return minionsOf(s.ExpectFrom, saltenvs) })
	if err != nil {
		return ids, fmt.Errorf("%s %s: %w", s.Flag("expect-from"), sanitize.Line(s.ExpectFrom), err)
	}
	return append(ids, earlier...), nil
}

const jsonReport fault.Hint = "{report=}json=FILE writes one"

// minionsOf returns the minions of a report that are of some saltenvs.
func minionsOf(path string, saltenvs map[string]bool) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rep, err := report.Read(f)
	if err != nil {
		return nil, &fault.Error{Err: err, Help: jsonReport}
	}
	defer func() { _ = rep.Close() }() // its temporary file is of no use any more
	if len(rep.Targets) == 0 {
		return nil, &fault.Error{Err: errors.New("it is not a JSON report (an NDJSON one does not do)"), Help: jsonReport}
	}
	var ids, others []string
	for _, t := range rep.Targets {
		if !saltenvs[t.Saltenv] {
			others = append(others, sanitize.Line(t.Saltenv))
			continue
		}
		for _, m := range t.Minions {
			ids = append(ids, m.ID)
		}
	}
	switch {
	case len(others) == len(rep.Targets):
		return nil, fmt.Errorf("it is a report of %s, and not of %s", strings.Join(others, ", "), strings.Join(slices.Sorted(maps.Keys(saltenvs)), ", "))
	case len(ids) == 0:
		return nil, errors.New("that report names no minion: it is of a dry run, of a deployment without a highstate, or of one that reached nobody")
	}
	return ids, nil
}

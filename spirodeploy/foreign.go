package spirodeploy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// foreign records SLS that minions applied and that are not in the bundle. They reveal two
// deployments at once: SpiroFS replaces a deployment by swapping its directory, so the
// minions of the first may apply the states of the second, and both report success.
type foreign struct {
	minion string // the first minion with such SLS
	count  int    // of such minions
	sls    []string
}

// add records the foreign SLS of a minion.
func (f *foreign) add(known map[string]bool, m *report.Minion) {
	names := slices.DeleteFunc(slices.Clone(m.SLS()), func(name string) bool { return known[strings.ReplaceAll(name, "/", ".")] })
	for _, name := range names {
		if name = sanitize.Clip(name, maxSLSName); len(f.sls) <= mostSLS && !slices.Contains(f.sls, name) {
			f.sls = append(f.sls, name)
		}
	}
	if len(names) == 0 {
		return
	}
	if f.count++; f.count == 1 {
		f.minion = m.ID
	}
}

// tellForeign warns of foreign SLS.
func (l *leg) tellForeign(stage report.Stage) {
	f := &l.foreign
	if f.count == 0 {
		return
	}
	who := sanitize.Line(f.minion)
	if f.count > 1 {
		who = fmt.Sprintf("%d minions (%s, …)", f.count, who)
	}
	names := sanitize.Names(f.sls[:min(len(f.sls), mostSLS)])
	if len(f.sls) > mostSLS {
		names += ", and more"
	}
	l.warn(stage, fmt.Sprintf("%s applied SLS that are not in this bundle (%s): another deployment of %s may have run at the same time: deploy again, one after the other",
		who, names, sanitize.Line(l.target.Saltenv)))
}

// Limits of the warning.
const (
	mostSLS    = 20  // names
	maxSLSName = 100 // of a name, in bytes
)

package spirodeploy

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// SpiroFS replaces a deployment by swapping its directory. If two run at once, the minions
// of the first may apply the states of the second, and both say success. An SLS that is
// not in the bundle gives that away.

// slsOf returns the names of the SLS in a bundle, as Salt has them: web for web.sls and
// web/init.sls, which is web.init as well.
func slsOf(tar *bundle.Bundle) map[string]bool {
	names := map[string]bool{}
	for name := range newFiles(tar).Names() {
		file, ok := strings.CutSuffix(name, ".sls")
		if !ok {
			continue
		}
		names[strings.ReplaceAll(file, "/", ".")] = true
		if path.Base(file) == "init" {
			names[strings.ReplaceAll(path.Dir(file), "/", ".")] = true
		}
	}
	return names
}

// foreign are SLS that minions applied and that are not in the bundle.
type foreign struct {
	minion string // the first that did
	count  int    // of minions
	sls    []string
}

func (f *foreign) add(known map[string]bool, m *report.Minion) {
	found := false
	for _, name := range m.SLS() {
		if known[strings.ReplaceAll(name, "/", ".")] {
			continue
		}
		found = true
		if len(f.sls) <= mostNamed && !slices.Contains(f.sls, name) {
			f.sls = append(f.sls, name)
		}
	}
	if !found {
		return
	}
	if f.count++; f.count == 1 {
		f.minion = m.ID
	}
}

// tellForeign warns of such SLS.
func (l *leg) tellForeign(stage report.Stage) {
	f := &l.foreign
	if f.count == 0 {
		return
	}
	who := sanitize.Line(f.minion)
	if f.count > 1 {
		who = fmt.Sprintf("%d minions (%s, …)", f.count, who)
	}
	names := make([]string, 0, len(f.sls))
	for _, name := range f.sls[:min(len(f.sls), mostNamed)] {
		names = append(names, sanitize.Line(sanitize.Clip(name, maxSLSName)))
	}
	if len(f.sls) > mostNamed {
		names = append(names, "and more")
	}
	l.warn(stage, fmt.Sprintf("%s applied SLS that are not in this bundle (%s): another deployment of %s may have been under way at the same time, whose states were then applied: deploy again, one after the other",
		who, strings.Join(names, ", "), sanitize.Line(l.target.Saltenv)))
}

// maxSLSName is the longest name that is shown, in bytes.
const maxSLSName = 100

package spirotest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/spirodeploy/topfile"
)

// generateTop makes top.sls from spirotop.sls, which gives the targets of each
// deployment of the project. A bundle's own top.sls has precedence.
func generateTop(root *os.Root, d *Deployment) error {
	if _, err := root.Stat(topfile.Top); err == nil {
		return nil
	}
	source, err := root.ReadFile(topfile.SpiroTop)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return located(root, err)
	}
	var top []byte
	file, err := topfile.Parse(source)
	if err == nil {
		top, err = file.Generate(d.Saltenv, d.Deployment)
	}
	if err != nil || top == nil {
		return refusal(err)
	}
	return located(root, root.WriteFile(topfile.Top, top, 0o644))
}

// refusal is the exception that the server reports for a file that it cannot read.
func refusal(err error) error {
	var syntax *topfile.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	if class, message, ok := strings.Cut(syntax.Exception, ": "); ok {
		return exception{class, message}
	}
	return exception{syntax.Exception, syntax.Error()}
}

// concerned are the minions that a deployment's top.sls concerns.
func concerned(d *Deployment, minions []Minion) []Minion {
	if d.Dir == "" {
		return nil
	}
	top, err := os.ReadFile(filepath.Join(d.Dir, topfile.Top))
	if err != nil {
		return nil
	}
	if topfile.Template(top) {
		return minions
	}
	file, err := topfile.Parse(top)
	if err != nil {
		return nil
	}
	section, ok := file.Section(d.Saltenv)
	if !ok || section.Broken() {
		return nil
	}
	var found []Minion
	for _, m := range minions {
		i := slices.IndexFunc(section.Targets, m.concernedBy)
		if i < 0 {
			continue
		}
		if sls := section.Targets[i].SLS; m.Result == nil && len(sls) > 0 {
			m.Result = everythingSucceeded(sls[0].Name)
		}
		found = append(found, m)
	}
	return found
}

// concernedBy tells whether a target concerns the minion, of whose grains only the
// expressions in m.Targets are known.
func (m Minion) concernedBy(t topfile.Target) bool {
	known := func(word string) bool { return slices.Contains(m.Targets, word) }
	return known(t.Expression) || t.Matches(m.ID, known) == topfile.Yes
}

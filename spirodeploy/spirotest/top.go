package spirotest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// generateTop makes top.sls from spirotop.sls, which gives the targets of each
// deployment of the project. A bundle's own top.sls has precedence.
func generateTop(root *os.Root, d *Deployment) error {
	if _, err := root.Stat("top.sls"); err == nil {
		return nil
	}
	source, err := root.ReadFile("spirotop.sls")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return located(root, err)
	}
	all, err := deploymentTargets(source)
	if err != nil || len(all) == 0 {
		return err
	}
	var targets any = yaml.MapSlice{}
	for _, item := range all {
		if item.Key == d.Deployment {
			targets = item.Value
		}
	}
	top, err := yaml.Marshal(yaml.MapSlice{{Key: d.Saltenv, Value: targets}})
	if err != nil {
		return exception{"yaml.representer.RepresenterError", err.Error()}
	}
	return located(root, root.WriteFile("top.sls", top, 0o644))
}

// deploymentTargets reads a spirotop.sls. It is empty where Python takes the
// content for false.
func deploymentTargets(source []byte) (yaml.MapSlice, error) {
	var content any
	if err := yaml.UnmarshalWithOptions(source, &content, yaml.UseOrderedMap()); err != nil {
		return nil, exception{"yaml.parser.ParserError", yaml.FormatError(err, false, false)}
	}
	switch content.(type) {
	case nil:
		return nil, nil
	case yaml.MapSlice:
		// Only this keeps the types of the keys: to Python the number 1 is not
		// the deployment "1".
		var typed yaml.MapSlice
		err := yaml.UnmarshalWithOptions(source, &typed, yaml.UseOrderedMap())
		return typed, err
	case []any:
		return nil, exception{"AttributeError", "'list' object has no attribute 'get'"}
	default:
		return nil, exception{"AttributeError", "'str' object has no attribute 'get'"}
	}
}

// concerned are the minions that a deployment's top.sls concerns.
func concerned(d *Deployment, minions []Minion) []Minion {
	if d.Dir == "" {
		return nil
	}
	top, err := os.ReadFile(filepath.Join(d.Dir, "top.sls"))
	if err != nil {
		return nil
	}
	if hasJinja(top) {
		return minions
	}
	targets := topTargets(top, d.Saltenv)
	return slices.DeleteFunc(slices.Clone(minions), func(m Minion) bool { return !m.concernedBy(targets) })
}

// hasJinja tells whether Salt would have to render a file to know what it says.
func hasJinja(source []byte) bool {
	for _, mark := range []string{"{%", "{{", "{#"} {
		if bytes.Contains(source, []byte(mark)) {
			return true
		}
	}
	return bytes.HasPrefix(source, []byte("#!"))
}

// topTargets are the targets below a saltenv in a top.sls. There are none in a
// file that Salt could not use.
func topTargets(top []byte, saltenv string) []string {
	var envs map[string]any
	if err := yaml.UnmarshalWithOptions(top, &envs, yaml.UseOrderedMap()); err != nil {
		return nil
	}
	items, _ := envs[saltenv].(yaml.MapSlice)
	var targets []string
	for _, item := range items {
		// Salt fails on a target without a list.
		if item.Value != nil {
			targets = append(targets, fmt.Sprint(item.Key))
		}
	}
	return targets
}

func (m Minion) concernedBy(targets []string) bool {
	return slices.ContainsFunc(targets, func(target string) bool {
		return glob(target, m.ID) || slices.Contains(m.Targets, target)
	})
}

// glob matches as Python's fnmatch does, which is how Salt matches ids: *, ?,
// [seq] and [!seq], with no escapes and no special slash.
func glob(pattern, id string) bool {
	var expr strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			expr.WriteString(".*")
		case '?':
			expr.WriteByte('.')
		case '[':
			class, n := globClass(pattern[i:])
			expr.WriteString(class)
			i += n - 1
		default:
			expr.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	matcher, err := regexp.Compile(`(?s)\A(?:` + expr.String() + `)\z`)
	return err == nil && matcher.MatchString(id)
}

// globClass is the regular expression for the [seq] that pattern starts with,
// and its length in pattern. A bracket that is never closed stands for itself.
func globClass(pattern string) (string, int) {
	start := 1
	if strings.HasPrefix(pattern[start:], "!") {
		start++
	}
	// A bracket in the first place belongs to the sequence.
	search := min(start+1, len(pattern))
	end := strings.IndexByte(pattern[search:], ']')
	if end < 0 {
		return `\[`, 1
	}
	end += search
	sequence := strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(pattern[start:end])
	if start == 2 {
		sequence = "^" + sequence
	}
	return "[" + sequence + "]", end + 1
}

package bundle

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// Limits of the search for a project directory nearby.
const (
	maxUp   = 4   // levels above
	maxDown = 200 // entries of the directory
)

// nearby returns the nearest directory above dir that has states, or the first one in
// dir, or "".
func nearby(dir string) string {
	here := absolute(dir)
	for up := range maxUp {
		above := filepath.Dir(here)
		if above == here {
			break
		}
		here = above
		if hasSalt(here) {
			return filepath.Join(dir, strings.Repeat("../", up+1))
		}
	}
	f, err := os.Open(dir)
	if err != nil {
		return ""
	}
	defer f.Close()
	names, _ := f.Readdirnames(maxDown) // it is only a hint
	slices.Sort(names)
	i := slices.IndexFunc(names, func(name string) bool { return hasSalt(filepath.Join(dir, name)) })
	if i < 0 {
		return ""
	}
	return filepath.Join(dir, names[i])
}

func hasSalt(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, SaltDir))
	return err == nil && info.IsDir()
}

// whereToLook returns what helps if the project has no states.
func (c *collector) whereToLook() fault.Hint {
	if c.near == "" {
		return "name the project directory with {dir}, or add {artifact}; {init} writes a first project"
	}
	near := printable(c.near)
	return fault.Hint("there is one in " + fault.Literal(near) + ": did you mean {dir=}" + fault.Literal(sanitize.Shell(near)) + "?")
}

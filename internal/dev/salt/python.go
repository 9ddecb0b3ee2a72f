package salt

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// pythons are the versions that every version of Salt here runs on.
var pythons = []string{"3.11", "3.10"}

// findPython returns the first Python with one of these versions.
func findPython(ctx context.Context) (string, error) {
	var seen []string
	for _, name := range []string{"python3.11", "python3.10", "python3", "python"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		version, err := probe(ctx, path)
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		switch {
		case err != nil:
			seen = append(seen, name+" does not run or has no venv")
		case slices.Contains(pythons, version):
			return path, nil
		default:
			seen = append(seen, name+" is "+version)
		}
	}
	return "", fmt.Errorf("%w: it needs python3.10 or python3.11 with the module venv in the PATH (%s): install one, such as the packages python3.11 and python3.11-venv",
		ErrNoPython, cmp.Or(strings.Join(seen, ", "), "there is none"))
}

// probe returns the version of a Python that can make environments.
func probe(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])")
	cmd.Env = pythonEnv(os.Environ())
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// pythonEnv leaves out variables that would lead a Python out of its environment.
func pythonEnv(env []string) []string {
	kept := []string{"PYTHONUTF8=1", "PYTHONWARNINGS=ignore"}
	for _, v := range env {
		if !strings.HasPrefix(v, "PYTHON") && !strings.HasPrefix(v, "VIRTUAL_ENV=") && !strings.HasPrefix(v, "__PYVENV") {
			kept = append(kept, v)
		}
	}
	return kept
}

package salt

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // for the files below python
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed python/requirements.txt
var requirements []byte

//go:embed python/salt_fixes.py
var fixes []byte

// Limits, generous ones: they are there so that everything ends.
const (
	installLimit = 15 * time.Minute
	probeLimit   = 30 * time.Second
	abandoned    = time.Hour // an unfinished environment that is older belongs to nobody
)

// ErrNoPython means that there is no Python that Salt 3005.5 runs on.
var ErrNoPython = errors.New("no Python for Salt 3005.5")

// Env is a Python environment with Salt and SpiroFS. It stays when a program ends.
type Env struct {
	dir      string
	packages string // where the packages are
}

// Prepare finds the environment in the user's cache directory, or makes it. That
// needs Python 3.8 to 3.11 with the module venv (the error is else
// [ErrNoPython]) and a package index that pip can reach. It may be
// interrupted, and run by several processes at once: an environment gets its
// name when it is whole. Progress is told, in lines, what takes its time.
func Prepare(ctx context.Context, progress func(string)) (*Env, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the cache directory: %w", err)
	}
	return prepareIn(ctx, filepath.Join(cache, "spirodeploy"), progress)
}

func prepareIn(ctx context.Context, cache string, progress func(string)) (*Env, error) {
	sum := sha256.Sum256(bytes.Join([][]byte{requirements, fixes}, []byte{0}))
	dir := filepath.Join(cache, "salt-"+hex.EncodeToString(sum[:8]))
	if env, err := open(dir); err == nil {
		progress("Salt and SpiroFS: reused from " + dir)
		return env, nil
	}
	python, err := findPython(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, fmt.Errorf("make the cache directory: %w", err)
	}
	removeAbandoned(cache)
	building, err := os.MkdirTemp(cache, "building-")
	if err != nil {
		return nil, fmt.Errorf("make the environment: %w", err)
	}
	defer func() { _ = os.RemoveAll(building) }() // it has been renamed, or the next one removes it
	progress(fmt.Sprintf("Salt and SpiroFS: installing salt 3005.5, spirofs 0.3 and %d more packages from PyPI, with %s, into %s",
		bytes.Count(requirements, []byte("=="))-2, python, dir))
	if err := install(ctx, python, building, progress); err != nil {
		return nil, fmt.Errorf("install Salt: %w", err)
	}
	// Where another process was faster, its environment is as good as this one.
	if err := os.Rename(building, dir); err != nil {
		if env, openErr := open(dir); openErr == nil {
			return env, nil
		}
		return nil, fmt.Errorf("install Salt: %w", err)
	}
	return open(dir)
}

// open opens an environment that is whole.
func open(dir string) (*Env, error) {
	found, err := filepath.Glob(filepath.Join(dir, "lib", "python3*", "site-packages", "spirofs"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("open the environment %s: it has no SpiroFS", dir)
	}
	env := &Env{dir: dir, packages: filepath.Dir(found[0])}
	if _, err := os.Stat(env.python()); err != nil { // the Python that it was made with may have gone
		_ = os.RemoveAll(dir) // so that the next one can have the name
		return nil, fmt.Errorf("open the environment: %w", err)
	}
	return env, nil
}

// install makes the environment in dir. It will be moved, so nothing may depend
// on its path: the scripts' first lines do, and are not used.
func install(ctx context.Context, python, dir string, progress func(string)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, installLimit, errors.New("it took more than "+installLimit.String()))
	defer cancel()
	file := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(file, requirements, 0o644); err != nil {
		return err
	}
	var tools []string // what the packages are built with, which has to be there first
	for line := range strings.Lines(string(requirements)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "setuptools==") || strings.HasPrefix(line, "wheel==") {
			tools = append(tools, line)
		}
	}
	env := &Env{dir: dir}
	pip := []string{env.python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"}
	for _, step := range []struct {
		what string
		args []string
	}{
		{"making a virtual environment", []string{python, "-m", "venv", dir}},
		{"installing what builds packages", append(pip[:len(pip):len(pip)], tools...)},
		{"installing the packages", append(pip[:len(pip):len(pip)], "--no-build-isolation", "-r", file)},
		{"checking that they load", []string{env.python(), "-c", "import salt.master, salt.minion, salt.ext.six, spirofs, zmq, requests, pymacaroons, hues"}},
	} {
		progress("Salt and SpiroFS: " + step.what)
		cmd := exec.CommandContext(ctx, step.args[0], step.args[1:]...)
		cmd.Env = pythonEnv(os.Environ())
		if out, err := combined(cmd); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%s: %w", step.what, context.Cause(ctx))
			}
			return fmt.Errorf("%s: %w\n%s", step.what, err, tail(out, 2000))
		}
	}
	packages, err := filepath.Glob(filepath.Join(dir, "lib", "python3*", "site-packages"))
	if err != nil || len(packages) == 0 {
		return errors.New("the environment has no site-packages")
	}
	if err := os.WriteFile(filepath.Join(packages[0], "salt_fixes.py"), fixes, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(packages[0], "salt_fixes.pth"), []byte("import salt_fixes\n"), 0o644)
}

func (e *Env) python() string { return filepath.Join(e.dir, "bin", "python") }

// Script returns the command line that runs one of the environment's programs,
// such as "spiro-deploy", the first-party client.
func (e *Env) Script(name string, args ...string) []string {
	return append([]string{e.python(), filepath.Join(e.dir, "bin", name)}, args...)
}

// Python returns the command line that runs the environment's Python.
func (e *Env) Python(args ...string) []string { return append([]string{e.python()}, args...) }

// findPython returns the first Python that will do.
func findPython(ctx context.Context) (string, error) {
	var seen []string
	for _, name := range []string{"python3.11", "python3.10", "python3.9", "python3.8", "python3", "python"} {
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
		case version == "3.8" || version == "3.9" || version == "3.10" || version == "3.11":
			return path, nil
		default:
			seen = append(seen, name+" is "+version)
		}
	}
	if seen == nil {
		seen = []string{"there is none"}
	}
	return "", fmt.Errorf("%w: it needs python3.8, 3.9, 3.10 or 3.11 with the module venv in the PATH (%s): install one, such as the packages python3.11 and python3.11-venv",
		ErrNoPython, strings.Join(seen, ", "))
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

// pythonEnv leaves out what would lead a Python out of its environment.
func pythonEnv(env []string) []string {
	kept := []string{"PYTHONUTF8=1", "PYTHONWARNINGS=ignore"}
	for _, v := range env {
		if !strings.HasPrefix(v, "PYTHON") && !strings.HasPrefix(v, "VIRTUAL_ENV=") && !strings.HasPrefix(v, "__PYVENV") {
			kept = append(kept, v)
		}
	}
	return kept
}

// removeAbandoned removes what interrupted installations have left.
func removeAbandoned(cache string) {
	found, _ := filepath.Glob(filepath.Join(cache, "building-*")) // the pattern is good
	for _, dir := range found {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.RemoveAll(dir) // there is always a next time
		}
	}
}

// tail returns the end of a text.
func tail(text []byte, size int) string {
	if len(text) > size {
		text = append([]byte("… "), text[len(text)-size:]...)
	}
	return strings.ToValidUTF8(strings.TrimSpace(string(text)), "?")
}

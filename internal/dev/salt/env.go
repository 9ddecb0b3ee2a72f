package salt

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	compat "github.com/spirostack/spirodeploy/contrib/spirofs-compat"
)

// Newest is the newest version of Salt that is known here.
const Newest = "3008.5"

// Versions are the versions of Salt that SpiroFS is tested with, the newest first: the
// newest patch of each release that installs.
var Versions = []string{Newest, "3007.17", "3006.30", "3005.5"}

// requirements pin packages: requirements.txt has what all versions of Salt need, and
// salt-VERSION.txt that version and what it alone needs.
//
//go:embed python/requirements.txt python/salt-*.txt
var requirements embed.FS

// InstallLimit is how long it may take to install anything.
const InstallLimit = 30 * time.Minute

// probeLimit is how long it may take to ask a Python for its version.
const probeLimit = 5 * time.Minute

// ErrNoPython means that there is no Python that all versions of Salt run on.
var ErrNoPython = errors.New("no Python for Salt")

// Env is a Python environment with Salt and SpiroFS. It stays when a program ends.
type Env struct{ dir string }

// Prepare is [PrepareVersion] for the newest version of Salt.
func Prepare(ctx context.Context, progress func(string)) (*Env, error) {
	return PrepareVersion(ctx, Newest, progress)
}

// PrepareVersion finds the environment with a version of Salt in the user's cache
// directory, or makes it. To make it, PrepareVersion needs a package index that pip can
// reach, and Python 3.10 or 3.11 with the module venv; without such a Python it returns
// [ErrNoPython]. It may be interrupted, and several processes may call it at once: an
// environment gets its name when it is complete. It calls progress with a line before
// each long step.
func PrepareVersion(ctx context.Context, version string, progress func(string)) (*Env, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the cache directory: %w", err)
	}
	return prepareIn(ctx, filepath.Join(cache, "spirodeploy"), version, progress)
}

func prepareIn(ctx context.Context, cache, version string, progress func(string)) (_ *Env, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("prepare Salt %s: %w", version, err)
		}
	}()
	if !slices.Contains(Versions, version) {
		return nil, errors.New("there are " + strings.Join(Versions, ", "))
	}
	pins := pinned(version)
	dir := filepath.Join(cache, "salt-"+version+"-"+digest(pins))
	if env, err := open(dir); err == nil {
		progress("Salt " + version + " and SpiroFS: reused from " + dir)
		return env, nil
	}
	python, err := findPython(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	// A second process waits, and finds what the first has made.
	free, err := lock(ctx, filepath.Join(cache, "lock"), progress)
	if err != nil {
		return nil, err
	}
	defer free()
	if env, err := open(dir); err == nil {
		return env, nil
	}
	building := dir + ".new"
	// An interrupted installation may have left something there.
	if err := errors.Join(os.RemoveAll(building), os.Mkdir(building, 0o755)); err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(building) }() // if it was not renamed; else the next installation removes it
	progress(fmt.Sprintf("Salt %s and SpiroFS: installing %d packages from PyPI, with %s, into %s", version, len(pins), python, dir))
	i := installation{python: python, dir: building, pins: pins, progress: progress}
	if err := i.run(ctx); err != nil {
		return nil, err
	}
	if err := os.Rename(building, dir); err != nil {
		return nil, err
	}
	return open(dir)
}

// pinned returns the requirements of a version of Salt.
func pinned(version string) []string {
	var pins []string
	for _, name := range []string{"requirements", "salt-" + version} {
		text, err := requirements.ReadFile("python/" + name + ".txt")
		if err != nil {
			panic(err) // they are in the executable, as a test makes sure
		}
		pins = append(pins, strings.Fields(string(text))...)
	}
	return pins
}

// digest returns a digest of everything that an environment is made of.
func digest(pins []string) string {
	sum := sha256.New()
	fmt.Fprintln(sum, pins)
	err := fs.WalkDir(compat.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "README.md" || name == "LICENSE" {
			return err
		}
		text, err := compat.Files.ReadFile(name)
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
		return err
	})
	if err != nil {
		panic(err) // as with requirements
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// open opens an environment that is complete.
func open(dir string) (*Env, error) {
	found, err := filepath.Glob(filepath.Join(dir, "lib", "python3*", "site-packages", "spirofs_compat"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("open the environment %s: it has no SpiroFS", dir)
	}
	env := &Env{dir}
	if _, err := os.Stat(env.python()); err != nil { // the Python that it was made with may have gone
		_ = os.RemoveAll(dir) // so that the next one can have the name
		return nil, fmt.Errorf("open the environment: %w", err)
	}
	return env, nil
}

func (e *Env) python() string { return filepath.Join(e.dir, "bin", "python") }

// Script returns the command line that runs one of the environment's programs,
// such as "spiro-deploy", the first-party client.
func (e *Env) Script(name string, args ...string) []string {
	return append([]string{e.python(), filepath.Join(e.dir, "bin", name)}, args...)
}

// Python returns the command line that runs the environment's Python.
func (e *Env) Python(args ...string) []string { return append([]string{e.python()}, args...) }

// tail returns the end of a text.
func tail(text []byte, size int) string {
	if len(text) > size {
		text = append([]byte("… "), text[len(text)-size:]...)
	}
	return strings.ToValidUTF8(strings.TrimSpace(string(text)), "?")
}

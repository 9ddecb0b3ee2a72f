package salt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	compat "github.com/spirostack/spirodeploy/contrib/spirofs-compat"
)

// installation makes an environment.
type installation struct {
	python   string   // makes the environment
	dir      string   // of the environment
	pins     []string // what goes into it
	progress func(string)
}

// run makes the environment. It will be moved, so nothing may depend on its path. The
// first lines of the scripts do, so nothing uses them.
func (i installation) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, InstallLimit, errors.New("it took more than "+InstallLimit.String()))
	defer cancel()
	file, sources := filepath.Join(i.dir, "requirements.txt"), filepath.Join(i.dir, "spirofs-compat")
	if err := os.WriteFile(file, []byte(strings.Join(i.pins, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	if err := os.CopyFS(sources, compat.Files); err != nil {
		return err
	}
	var tools []string // the packages are built with these, so they come first
	for _, pin := range i.pins {
		if strings.HasPrefix(pin, "setuptools==") || strings.HasPrefix(pin, "wheel==") {
			tools = append(tools, pin)
		}
	}
	python := (&Env{dir: i.dir}).python()
	pip := func(args ...string) []string {
		return append([]string{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"}, args...)
	}
	for _, step := range []struct {
		what string
		args []string
	}{
		{"making a virtual environment", []string{i.python, "-m", "venv", i.dir}},
		{"installing what builds packages", pip(tools...)},
		{"installing the packages", pip("--no-build-isolation", "-r", file)},
		{"installing spirofs-compat", pip("--no-build-isolation", sources)},
		{"checking that they load", []string{python, "-c", "import salt.master, salt.minion, spirofs_compat.loader, zmq, requests, pymacaroons, hues"}},
	} {
		i.progress("Salt and SpiroFS: " + step.what)
		if err := i.step(ctx, step.args); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return os.RemoveAll(sources)
}

func (i installation) step(ctx context.Context, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = pythonEnv(os.Environ())
	out, err := combined(cmd)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w\n%s", err, tail(out, 2000))
}

package salt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Fresh makes an environment in a directory that is not there yet: a copy of this one
// without SpiroFS, like Salt's own packages. Like them, it has the program salt-pip,
// which installs into a directory that comes first on Python's path.
func (e *Env) Fresh(ctx context.Context, dir string) (*Env, error) {
	fresh := &Env{dir}
	if out, err := combined(exec.CommandContext(ctx, "cp", "-a", e.dir, dir)); err != nil {
		return nil, fmt.Errorf("copy the environment: %w: %s", err, tail(out, 500))
	}
	for _, name := range []string{"spirofs*", "pymacaroons*", "nacl", "PyNaCl*", "pynacl*", "_salt*.pth"} {
		found, err := filepath.Glob(filepath.Join(dir, "lib", "python3*", "site-packages", name))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			if err := os.RemoveAll(path); err != nil {
				return nil, fmt.Errorf("make a fresh environment: %w", err)
			}
		}
	}
	packages, err := filepath.Glob(filepath.Join(dir, "lib", "python3*", "site-packages"))
	if err != nil || len(packages) != 1 {
		return nil, fmt.Errorf("make a fresh environment: %v has no site-packages", packages)
	}
	extras := filepath.Join(dir, "extras")
	pth := fmt.Sprintf("import sys; sys.path.insert(0, %q)\n", extras)
	pip := fmt.Sprintf("#!/bin/sh\ncommand=$1\nshift\nPYTHONPATH='%s' exec '%s' -m pip \"$command\" --target='%s' \"$@\"\n", extras, fresh.python(), extras)
	for path, text := range map[string]string{filepath.Join(packages[0], "_salt_onedir_extras.pth"): pth, filepath.Join(fresh.Programs(), "salt-pip"): pip} {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			return nil, fmt.Errorf("make a fresh environment: %w", err)
		}
	}
	return fresh, nil
}

// Programs returns the directory of the environment's programs.
func (e *Env) Programs() string { return filepath.Join(e.dir, "bin") }

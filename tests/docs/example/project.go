// Package example sets up what the docs show: examples/shop as a repository of its own,
// and a server on this machine that clients reach as https://salt.example.com:4510/.
package example

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Root is the repository, seen from a package in tests/.
var Root = filepath.Join("..", "..")

// Build builds the command in a directory, and returns its path.
func Build(ctx context.Context, dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, "spiro-deploy"))
	if err != nil {
		return "", err
	}
	return path, run(ctx, Root, nil, "go", "build", "-o", path, "./spirodeploy/cmd/spiro-deploy")
}

// Project makes a repository of examples/shop in a directory, with one commit that is the
// same on every machine.
func Project(ctx context.Context, dir string) error {
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(Root, "examples", "shop"))); err != nil {
		return err
	}
	env := []string{
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull,
		"GIT_AUTHOR_NAME=Shop", "GIT_AUTHOR_EMAIL=shop@example.com", "GIT_AUTHOR_DATE=2026-01-01T12:00:00Z",
		"GIT_COMMITTER_NAME=Shop", "GIT_COMMITTER_EMAIL=shop@example.com", "GIT_COMMITTER_DATE=2026-01-01T12:00:00Z",
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "."}, {"commit", "-q", "-m", "A shop"}, {"tag", "v1.4.0"},
	} {
		if err := run(ctx, dir, env, "git", args...); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, dir string, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, args[0], err, out)
	}
	return nil
}

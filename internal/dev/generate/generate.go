// Package generate makes the generated code of the Dagger module without an engine:
// from the module's own code, and from the schema that an engine gives to a module
// without dependencies.
//
// The generator of the Go SDK is a tool of internal/dev/codegen, a module of its own.
// It also edits go.mod and go.sum, so it works on a copy of what an engine gets.
package generate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	codegen = "internal/dev/codegen" // the module that pins the generator
	schema  = codegen + "/schema.json"
)

// config is what the generator needs of dagger.json.
type config struct {
	Name          string
	EngineVersion string   // also the version of the SDK
	Include       []string // each begins with ! and leaves files out
}

func readConfig(root string) (c config, err error) {
	content, err := os.ReadFile(filepath.Join(root, "dagger.json"))
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return c, fmt.Errorf("dagger.json: %w", err)
	}
	return c, nil
}

// generated are the files that the generator writes.
var generated = []string{"dagger.gen.go", "internal/dagger/dagger.gen.go"}

// Run writes the generated files of the repository at root.
func Run(ctx context.Context, root string) error { return generate(ctx, root, copyFile) }

// Check returns an error if the generated files of the repository at root are not what
// Run would write.
func Check(ctx context.Context, root string) error {
	return generate(ctx, root, func(made, kept string) error {
		diff, err := exec.CommandContext(ctx, "git", "diff", "--no-index", "--unified=0", kept, made).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s is not up to date: run go tool mage generate\n%.2000s", kept, diff)
		}
		return nil
	})
}

// generate makes the generated files, and calls use with each new file and its place in
// the repository at root.
func generate(ctx context.Context, root string, use func(made, kept string) error) error {
	dir, err := os.MkdirTemp("", "spirodeploy-generate-*")
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary directory at worst stays
	errs := []error{generateIn(ctx, root, dir)}
	if errs[0] == nil {
		for _, name := range generated {
			errs = append(errs, use(filepath.Join(dir, name), filepath.Join(root, name)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	return nil
}

// generateIn makes dir a copy of the module with new generated files.
func generateIn(ctx context.Context, root, dir string) error {
	c, err := readConfig(root)
	if err != nil {
		return err
	}
	if root, err = filepath.Abs(root); err != nil {
		return err
	}
	if err := Upload(ctx, root, dir); err != nil {
		return err
	}
	for _, name := range generated {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	_, generateErr := run(ctx, dir, "go", "tool", "-modfile="+filepath.Join(root, codegen, "go.mod"), "codegen",
		"generate-module", "--output", dir, "--module-source-path", dir,
		"--module-name", c.Name, "--introspection-json-path", filepath.Join(root, schema), "--lib-version", c.EngineVersion)
	// If the module does not compile, the generator says little or nothing. Only now is
	// there what the module imports, so that go vet can tell.
	if _, err := run(ctx, dir, "go", "vet", "-mod=mod", "."); err != nil {
		return errors.Join(generateErr, fmt.Errorf("the module's code does not compile: %w", err))
	}
	return generateErr
}

// Upload copies what an engine gets of the repository at root, when it loads the
// module, to a directory: the regular files that git has or would add, without what
// dagger.json leaves out.
func Upload(ctx context.Context, root, to string) error {
	c, err := readConfig(root)
	if err != nil {
		return err
	}
	args := []string{"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "."}
	for _, pattern := range c.Include {
		without, negative := strings.CutPrefix(pattern, "!")
		if !negative {
			return fmt.Errorf("dagger.json: include %q: write !PATTERN, since all of them leave something out", pattern)
		}
		args = append(args, ":(exclude,glob)"+without, ":(exclude,glob)"+without+"/**")
	}
	listed, err := run(ctx, root, "git", args...)
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(listed, "\x00"), "\x00") {
		err := copyFile(filepath.Join(root, name), filepath.Join(to, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // git still lists a file that was removed
			return err
		}
	}
	return nil
}

// copyFile copies a regular file, and leaves out whatever else git lists: links, and
// the directories of nested clones.
func copyFile(from, to string) error {
	if info, err := os.Lstat(from); err != nil || !info.Mode().IsRegular() {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}

// run runs a command and returns its standard output. The error has its standard error.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, args[0], err, strings.TrimSpace(said.String()))
	}
	return string(out), nil
}

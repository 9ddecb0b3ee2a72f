// Package generate makes the generated code of the Dagger module, without an
// engine: from the module's own code and the schema that an engine gives to a
// module without dependencies.
//
// The generator of the Go SDK is built from internal/dev/codegen, a module of its
// own. Since it also edits go.mod and go.sum, it works on a copy of the tree: of that
// part which an engine gets.
package generate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	codegen = "internal/dev/codegen" // the module that pins the generator
	schema  = codegen + "/schema.json"
)

// config is what counts here of dagger.json.
type config struct {
	Name          string
	EngineVersion string   // that of the SDK, too
	Include       []string // all of them begin with !, for what is left out
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

// generated are the files that are taken back, and all that is removed before.
var (
	generated = []string{"dagger.gen.go", "internal/dagger/dagger.gen.go"}
	removed   = []string{"dagger.gen.go", "internal/dagger"}
)

// Run writes the generated files of the repository at root.
func Run(ctx context.Context, root string) error {
	return with(ctx, root, func(made string) error {
		for _, name := range generated {
			content, err := os.ReadFile(filepath.Join(made, name))
			if err != nil {
				return err
			}
			file := filepath.Join(root, name)
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(file, content, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// Check returns an error where the generated files of the repository at root
// are not what Run would write.
func Check(ctx context.Context, root string) error {
	return with(ctx, root, func(made string) error {
		var drift []string
		for _, name := range generated {
			want, err := os.ReadFile(filepath.Join(made, name))
			if err != nil {
				return err
			}
			got, err := os.ReadFile(filepath.Join(root, name))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if diff := compare(string(got), string(want)); diff != "" {
				drift = append(drift, name+": "+diff)
			}
		}
		if len(drift) > 0 {
			return fmt.Errorf("generated code is not up to date: run go tool mage generate\n%s", strings.Join(drift, "\n"))
		}
		return nil
	})
}

// with calls use with a directory that has the files as they should be.
func with(ctx context.Context, root string, use func(made string) error) error {
	made, err := os.MkdirTemp("", "spirodeploy-generate-*")
	if err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	defer func() { _ = os.RemoveAll(made) }() // a temporary directory at worst stays
	if err := generate(ctx, root, made); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	if err := use(made); err != nil {
		return fmt.Errorf("generate: %w", err)
	}
	return nil
}

// generate makes dir a copy of the repository with new generated files.
func generate(ctx context.Context, root, dir string) error {
	c, err := readConfig(root)
	if err != nil {
		return err
	}
	if err := Upload(ctx, root, dir); err != nil {
		return err
	}
	for _, name := range removed {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	whole, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	tools, err := os.MkdirTemp("", "spirodeploy-codegen-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(tools) }() // a temporary directory at worst stays
	generator := filepath.Join(tools, "codegen.exe")
	if _, err := run(ctx, filepath.Join(root, codegen), "go", "build", "-o", generator, "github.com/dagger/dagger/cmd/codegen"); err != nil {
		return fmt.Errorf("build the generator: %w", err)
	}
	said, err := run(ctx, dir, generator, "generate-module", "--output", dir, "--module-source-path", dir,
		"--module-name", c.Name, "--introspection-json-path", filepath.Join(whole, schema), "--lib-version", c.EngineVersion)
	// Of code that does not compile the generator has little to say, or nothing.
	// Such code can be told only now that what it imports is there.
	if _, err := run(ctx, dir, "go", "vet", "-mod=mod", "."); err != nil {
		return fmt.Errorf("the module's code does not compile: %w", err)
	}
	if err != nil {
		return fmt.Errorf("run the generator: %w", err)
	}
	for _, name := range generated {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("the generator has not written %s:\n%s", name, said)
		}
	}
	return nil
}

// Upload copies what an engine gets of the repository at root, when it loads the
// module, to a directory.
func Upload(ctx context.Context, root, to string) error {
	c, err := readConfig(root)
	if err != nil {
		return err
	}
	left, err := leftOut(c.Include)
	if err != nil {
		return err
	}
	return copyTree(ctx, root, to, left)
}

// leftOut returns what tells whether the module is without a file, by the patterns of
// dagger.json: * is anything but a slash, **/ any directories, and what is below a
// directory that matches is left out, too.
func leftOut(include []string) (func(name string) bool, error) {
	var all []string
	for _, pattern := range include {
		without, negative := strings.CutPrefix(pattern, "!")
		if !negative {
			return nil, fmt.Errorf("dagger.json: include %q: write !PATTERN, for all of them leave something out", pattern)
		}
		words := regexp.QuoteMeta(without)
		words = strings.ReplaceAll(words, `\*\*/`, "(.*/)?")
		all = append(all, strings.ReplaceAll(words, `\*`, "[^/]*"))
	}
	matches, err := regexp.Compile("^(" + strings.Join(all, "|") + ")(/|$)")
	if err != nil {
		return nil, fmt.Errorf("dagger.json: %w", err)
	}
	return matches.MatchString, nil
}

// copyTree copies what git has or would add, but for what is to be left out.
func copyTree(ctx context.Context, from, to string, leftOut func(name string) bool) error {
	listed, err := run(ctx, from, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(listed, "\x00"), "\x00") {
		if leftOut(name) {
			continue
		}
		err := copyFile(filepath.Join(from, name), filepath.Join(to, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // removed, and git not yet told
			return err
		}
	}
	return nil
}

// copyFile copies a regular file; nothing else matters to the generator.
func copyFile(from, to string) error {
	if info, err := os.Lstat(from); err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// run runs a command and returns its standard output. The error has all that it said.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}

// compare says in short how two texts differ, or nothing.
func compare(got, want string) string {
	switch got {
	case want:
		return ""
	case "":
		return "is missing"
	}
	is, should := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(is), len(should)) {
		if is[i] != should[i] {
			return fmt.Sprintf("line %d is\n\t%s\nand should be\n\t%s", i+1, is[i], should[i])
		}
	}
	return fmt.Sprintf("has %d lines and should have %d", len(is), len(should))
}

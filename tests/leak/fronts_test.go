package leak_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spirostack/spirodeploy/tests/program"
)

// front is a program that people deploy with.
type front struct {
	name string
	// program returns its path.
	program func(*testing.T) string
	// args returns its arguments for a task. Flags have mage's names; those without a
	// value are switches.
	args func(do string, positions []string, flags map[string]string) []string
	// verbose says whether the program prints more than usual.
	verbose bool
}

// fronts are the programs. Their task is "deploy", and with mage also "check", "token",
// "diff" and "bundle".
var fronts = []front{
	{name: "command", program: program.Command, args: func(_ string, positions []string, flags map[string]string) []string {
		return append(flagList(flags, func(name string) string { return commandFlags[name] }), positions...)
	}},
	{name: "mage", program: mage, args: func(do string, positions []string, flags map[string]string) []string {
		return slices.Concat([]string{"spiro:" + do}, positions, flagList(flags, func(name string) string { return "-" + name }))
	}},
	{name: "mage -v -debug", verbose: true, program: mage, args: func(do string, positions []string, flags map[string]string) []string {
		return slices.Concat([]string{"-v", "spiro:" + do}, positions, flagList(flags, func(name string) string { return "-" + name }))
	}},
}

// commandFlags are the command's names for the flags.
var commandFlags = map[string]string{
	"insecure": "--insecure", "server": "--server", "artifact": "--artifact", "tokenFile": "--token-file", "source": "--include-source",
	"sslCert": "--ssl-cert", "highstate": "--highstate", "dryRun": "--dry-run", "output": "--output", "bundle": "--bundle",
	"digest": "--digest", "report": "--report", "timeout": "--timeout", "connectTimeout": "--connect-timeout", "token": "--token",
	"narrowToken": "--narrow-token", "requireMinions": "--require-minions", "dir": "--dir", "exclude": "--exclude", "gitDescribe": "--git-describe",
	"verbose": "--verbose", "quiet": "--quiet", "color": "--color", "diff": "--diff", "targets": "--targets", "rollout": "--rollout", "maxParallel": "--max-parallel",
}

// flagList writes flags as -name=value.
func flagList(flags map[string]string, spell func(string) string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		value := flags[name]
		if value == "" {
			list = append(list, spell(name))
			continue
		}
		values := []string{value}
		if name == "report" && spell(name) == commandFlags[name] { // which is repeated, and has no lists
			values = strings.Split(value, ",")
		}
		for _, v := range values {
			list = append(list, spell(name)+"="+v)
		}
	}
	return list
}

// job returns a job that runs the program in a project of its own.
func (f front) job(t *testing.T, do string, positions []string, flags map[string]string) job {
	t.Helper()
	j := job{path: f.program(t), args: f.args(do, positions, flags), dir: project(t)}
	if f.verbose {
		j.env = []string{"MAGEFILE_DEBUG=1"}
	}
	return j
}

// buildMage compiles a magefile that imports the targets, in a module of its own, as
// users do.
var buildMage = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(program.Dir(), "magefile")
	if err := makeMagefile(dir); err != nil {
		return "", err
	}
	path := filepath.Join(program.Dir(), "targets")
	cmd := exec.Command("go", "tool", "mage", "-compile", path)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "MAGEFILE_CACHE="+filepath.Join(program.Dir(), "cache"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mage -compile: %w\n%s", err, out)
	}
	return path, nil
})

const magefile = `//go:build mage

package main

import (
	//mage:import spiro
	_ "github.com/spirostack/spirodeploy/spirodeploy/targets"
)
`

// makeMagefile makes the module. It requires the main module, and the requirements of
// that.
func makeMagefile(dir string) error {
	here, err := filepath.Abs(program.Root)
	if err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(program.Root, "go.mod"))
	if err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(program.Root, "go.sum"))
	if err != nil {
		return err
	}
	const name = "github.com/spirostack/spirodeploy"
	text := strings.Replace(string(mod), "module "+name, "module example.org/shop", 1) +
		"\nrequire " + name + " v0.0.0\n\nreplace " + name + " => " + here + "\n"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for file, content := range map[string]string{"go.mod": text, "go.sum": string(sum), "magefile.go": magefile} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// mage returns the path of the compiled magefile.
func mage(t *testing.T) string {
	t.Helper()
	path, err := buildMage()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// project makes a project with states and with something that was built.
func project(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "_salt", "spirotop.sls"), "prod:\n  '*': [web]\n")
	write(t, filepath.Join(dir, "_salt", "web.sls"), "hello: test.nop\n")
	write(t, filepath.Join(dir, "built", "program"), "a program\n")
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(content)
}

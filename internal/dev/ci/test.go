package ci

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
)

// project is the path of the root module. The paths of the other modules begin with it.
const project = "github.com/spirostack/spirodeploy"

// long are the packages that [Test] leaves out, and what they need. In the other
// packages, a long test skips itself if testing.Short says so.
var long = map[string]string{
	"tests/compat":   "Salt in four versions",
	"tests/dagger":   "a Dagger engine",
	"tests/hostile":  "servers that send gigabytes",
	"tests/parity":   "a real SpiroFS",
	"tests/pictures": "Chromium",
	"tests/publish":  "builds for other platforms",
	"tests/soak":     "many deployments",
	"tests/spirofs":  "real Salt masters",
	"tests/topfile":  "a real Salt",
	"tests/upstream": "the first-party client",
	"tests/views":    "Chromium",
}

// Test runs the quick tests: they need nothing but Go and git, and a few minutes.
func Test(ctx context.Context, out io.Writer) error {
	fmt.Fprintln(out, "# The quick tests. They are compiled first, which takes minutes if the build cache is empty.")
	c := checks{out: out}
	for _, dir := range modules {
		packages, err := quick(ctx, dir)
		if err != nil {
			return err
		}
		c.test(ctx, dir, []string{"-short"}, packages...)
	}
	err := c.conclude()
	fmt.Fprintln(out, "\nLeft out:")
	for _, pkg := range slices.Sorted(maps.Keys(long)) {
		fmt.Fprintf(out, "  %-15s %s\n", pkg, long[pkg])
	}
	fmt.Fprintln(out, "go tool mage test:all runs them too.")
	return err
}

// TestAll runs all checks that are tests: every go.mod is tidy, everything vets,
// and all tests pass, with the race detector if there is a C compiler for it.
func TestAll(ctx context.Context, out io.Writer) error {
	fmt.Fprintln(out, "# All tests. They are compiled first, which takes minutes if the build cache is empty.")
	c := checks{out: out}
	var flags []string
	// Go switches cgo off if there is no C compiler.
	if cgo, err := exec.CommandContext(ctx, "go", "env", "CGO_ENABLED").Output(); err == nil && string(cgo) == "1\n" {
		flags = []string{"-race"}
	} else {
		fmt.Fprintln(out, "SKIP the race detector: cgo is off, or there is no C compiler")
	}
	for _, dir := range modules {
		c.run(ctx, dir, "go", "mod", "tidy", "-diff")
		c.run(ctx, dir, "go", "vet", "./...")
		c.test(ctx, dir, flags, "./...")
	}
	// Go sees the magefiles only with their tag.
	c.run(ctx, ".", "go", "vet", "-tags=mage", "./magefiles/...", "./internal/dev/targets")
	return c.conclude()
}

// quick returns a module's packages without those that take long.
func quick(ctx context.Context, dir string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "./...")
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	list, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w\n%s", dir, err, &errs)
	}
	return slices.DeleteFunc(strings.Fields(string(list)), func(pkg string) bool { return long[place(pkg)] != "" }), nil
}

// place returns a package's directory.
func place(pkg string) string {
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(pkg, project), "/"), ".")
}

// checks are the checks of a run.
type checks struct {
	out    io.Writer
	failed []string // the commands that repeat what failed
}

// run runs a command that succeeds if all is well.
func (c *checks) run(ctx context.Context, dir string, args ...string) {
	if run(ctx, c.out, dir, args...) != nil {
		c.failed = append(c.failed, in(dir, args...))
	}
}

// in returns the command line that runs a go command in a directory.
func in(dir string, args ...string) string {
	if dir != "." {
		args = slices.Insert(args, 1, "-C", dir)
	}
	return strings.Join(args, " ")
}

// test runs the tests of packages of a module. gotestsum shows what comes of them, and
// at the end what was skipped and why, and what failed.
func (c *checks) test(ctx context.Context, dir string, flags []string, packages ...string) {
	if dir == "tests" {
		// They build and run what is in the other module, which Go does not see.
		flags = append([]string{"-count=1"}, flags...)
	}
	args := slices.Concat([]string{"-timeout=60m"}, flags, packages)
	fmt.Fprintf(c.out, "== %s: go test %s\n", dir, strings.Join(args[:len(flags)+1], " "))
	events, err := gotestsum(ctx, c.out, dir, args)
	ran, failed := repeats(events, dir, flags)
	if len(failed) == 0 && (err != nil || ran == 0) {
		fmt.Fprintf(c.out, "%d tests have run in %s: %v\n", ran, dir, err)
		failed = []string{in(dir, append([]string{"go", "test"}, args...)...)}
	}
	c.failed = append(c.failed, failed...)
}

// gotestsum runs go test with arguments in a directory, and returns its events. On a
// terminal it shows a line for each test, elsewhere for each package.
func gotestsum(ctx context.Context, out io.Writer, dir string, args []string) (events []byte, err error) {
	file, err := os.CreateTemp("", "spirodeploy-tests-*.json")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	format := "pkgname"
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			format = "testname"
		}
	}
	line := append(tool("lint", "gotestsum", "--format="+format, "--format-hide-empty-pkg", "--jsonfile="+file.Name(), "--"), args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	err = cmd.Run()
	events, readErr := io.ReadAll(file)
	return events, errors.Join(err, readErr)
}

// repeats reads the events of go test -json. It returns how many tests have run, and a
// command for each test that failed or never ended, and for each other package that failed.
func repeats(events []byte, dir string, flags []string) (ran int, commands []string) {
	type test struct{ Package, Test string }
	var open []test // neither passed nor skipped; and packages that failed without one
	for lines := json.NewDecoder(bytes.NewReader(events)); lines.More(); {
		var e struct {
			test
			Action string
		}
		if lines.Decode(&e) != nil {
			break // go test was killed while it wrote
		}
		switch {
		case e.Test != "" && e.Action == "run":
			ran++
			open = append(open, e.test)
		case e.Test != "" && (e.Action == "pass" || e.Action == "skip"):
			open = slices.DeleteFunc(open, func(t test) bool { return t == e.test })
		case e.Test == "" && e.Action == "fail" && !slices.ContainsFunc(open, func(t test) bool { return t.Package == e.Package }):
			open = append(open, e.test)
		}
	}
	for _, t := range open {
		args := slices.Concat([]string{"go", "test"}, flags, []string{"./" + strings.TrimPrefix(place(t.Package), dir+"/")})
		if place(t.Package) == dir {
			args[len(args)-1] = "."
		}
		if t.Test != "" {
			args = append(args, "-run", pattern(t.Test))
		}
		// The command for a failed subtest also repeats the tests around it.
		if !slices.ContainsFunc(open, func(o test) bool { return o.Package == t.Package && strings.HasPrefix(o.Test, t.Test+"/") }) {
			commands = append(commands, in(dir, args...))
		}
	}
	return ran, commands
}

// pattern returns the pattern of one test, for -run in a shell.
func pattern(test string) string {
	levels := strings.Split(test, "/")
	for i, level := range levels {
		levels[i] = "^" + regexp.QuoteMeta(level) + "$"
	}
	return "'" + strings.ReplaceAll(strings.Join(levels, "/"), "'", `'\''`) + "'"
}

// conclude returns an error if anything failed, and shows the commands that repeat it.
func (c *checks) conclude() error {
	if len(c.failed) == 0 {
		return nil
	}
	fmt.Fprintf(c.out, "\nThese commands repeat what failed:\n  %s\n", strings.Join(c.failed, "\n  "))
	return fmt.Errorf("%s failed", human.Count(len(c.failed), "test or check", "tests or checks"))
}

package ci

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

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
	if why := noRace(ctx); why == "" {
		flags = []string{"-race"}
	} else {
		fmt.Fprintln(out, "SKIP the race detector:", why)
	}
	for _, dir := range modules {
		c.run(ctx, dir, "go", "mod", "tidy", "-diff")
		c.run(ctx, dir, "go", "vet", "./...")
		c.test(ctx, dir, flags, "./...")
	}
	// Go sees the magefiles only with their tag.
	c.run(ctx, ".", "go", "vet", "-tags=mage", "./magefiles/...", "./internal/dev/targets")
	// The library and its tests compile for all systems that have the command.
	for _, system := range []string{"linux", "darwin", "windows"} {
		if system != runtime.GOOS {
			c.run(ctx, ".", "GOOS="+system, "go", "vet", "./...")
		}
	}
	return c.conclude()
}

// noRace returns why the race detector cannot be used, or "". Go switches cgo off if it
// finds no C compiler, but not if CGO_ENABLED or CC is set.
func noRace(ctx context.Context) string {
	env, err := exec.CommandContext(ctx, "go", "env", "CGO_ENABLED", "CC").Output()
	if err != nil {
		return "go env: " + err.Error()
	}
	words := strings.Fields(string(env))
	if len(words) < 2 || words[0] != "1" {
		return "cgo is off, or there is no C compiler"
	}
	if _, err := exec.LookPath(words[1]); err != nil {
		return "it needs a C compiler, and there is no " + words[1]
	}
	return ""
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
	r := read(events, dir, flags)
	if len(r.idle) > 0 {
		fmt.Fprintf(c.out, "No test has run in %s\n", strings.Join(r.idle, ", "))
	}
	switch {
	case len(r.failed) > 0: // gotestsum has said so
	case err != nil:
		fmt.Fprintf(c.out, "After %d tests in %s: %v\n", r.ran, dir, err)
		r.failed = []string{in(dir, append(tool("lint", "gotestsum", "--"), args...)...)}
	case r.ran == 0:
		fmt.Fprintf(c.out, "No test has run in %s\n", dir)
		r.failed = []string{in(dir, append([]string{"go", "test"}, args...)...)}
	}
	c.failed = append(c.failed, r.failed...)
}

// gotestsum runs go test with arguments in a directory, and returns its events. On a
// terminal it shows a line for each test, elsewhere for each package.
func gotestsum(ctx context.Context, out io.Writer, dir string, args []string) (events []byte, err error) {
	temp, err := os.MkdirTemp("", "spirodeploy-tests-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	format, file := "pkgname", filepath.Join(temp, "events.json")
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if f, ok := out.(*os.File); ok { // two processes can write to it
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			format = "testname"
		} else {
			go tell(ctx, out, file)
		}
	}
	line := append(tool("lint", "gotestsum", "--format="+format, "--format-hide-empty-pkg", "--jsonfile="+file, "--"), args...)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	err = cmd.Run()
	events, readErr := os.ReadFile(file)
	switch {
	case errors.Is(readErr, fs.ErrNotExist):
		return nil, fmt.Errorf("gotestsum did not run: %w", cmp.Or(err, readErr))
	case err != nil:
		err = fmt.Errorf("gotestsum failed: %w", err)
	}
	return events, errors.Join(err, readErr)
}

// silence is how long no package ends before [tell] says which are running.
const silence = 30 * time.Second

// tell tells from time to time which packages are running, until the context ends. It
// follows the file with the events.
func tell(ctx context.Context, out io.Writer, file string) {
	told := 0 // how many packages had ended
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(silence):
		}
		content, _ := os.ReadFile(file) // it is made when gotestsum begins
		var running []string
		ended := 0
		for _, e := range parse(content) {
			switch {
			case e.Test != "":
			case e.Action == "start":
				running = append(running, place(e.Package))
			case slices.Contains([]string{"pass", "fail", "skip"}, e.Action):
				ended++
				running = slices.DeleteFunc(running, func(pkg string) bool { return pkg == place(e.Package) })
			}
		}
		if ended == told {
			fmt.Fprintf(out, "… still running: %s\n", cmp.Or(strings.Join(running, ", "), "the compiler"))
		}
		told = ended
	}
}

// test is a test, or a package if Test is "".
type test struct{ Package, Test string }

// event is what matters here of an event of go test -json.
type event struct {
	test
	Action string
}

// parse returns the events up to the first that is not complete: go test may have been
// killed, or still be at work.
func parse(content []byte) (events []event) {
	for lines := json.NewDecoder(bytes.NewReader(content)); lines.More(); {
		var e event
		if lines.Decode(&e) != nil {
			break
		}
		events = append(events, e)
	}
	return events
}

// result is what came of the tests of a module.
type result struct {
	ran    int      // tests
	idle   []string // the packages that have test files and passed without a test
	failed []string // commands: see read
}

// read reads the events of go test -json. The result has a command for each test that
// failed or never ended, and for each other package that failed.
func read(content []byte, dir string, flags []string) (r result) {
	var open []test // neither passed nor skipped; and packages that failed without one
	busy := map[string]bool{}
	for _, e := range parse(content) {
		switch {
		case e.Test != "" && e.Action == "run":
			r.ran++
			busy[e.Package] = true
			open = append(open, e.test)
		case e.Test != "" && (e.Action == "pass" || e.Action == "skip"):
			open = slices.DeleteFunc(open, func(t test) bool { return t == e.test })
		case e.Test == "" && e.Action == "pass" && !busy[e.Package]:
			r.idle = append(r.idle, place(e.Package))
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
			r.failed = append(r.failed, in(dir, args...))
		}
	}
	return r
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

package ci

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// long are the packages that [Test] leaves out, and what they wait for. In the
// other packages, testing.Short tells a test that takes long to skip.
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

// limit is how long a package may take on a machine that is busy.
const limit = "-timeout=60m"

// Test runs the quick tests: they need nothing but Go and git, and a few minutes.
func Test(ctx context.Context, out io.Writer) error {
	s := newScreen(out)
	fmt.Fprintln(s, "# The quick tests. They are compiled first, which takes minutes if the build cache is empty.")
	r := newResults(s)
	for _, dir := range modules {
		packages, err := quick(ctx, dir)
		if err != nil {
			return err
		}
		r.test(ctx, s, dir, slices.Concat([]string{"-short"}, packages))
	}
	err := r.conclude()
	fmt.Fprintln(s, "\nLeft out:")
	for _, pkg := range slices.Sorted(maps.Keys(long)) {
		fmt.Fprintf(s, "  %-15s %s\n", pkg, long[pkg])
	}
	fmt.Fprintln(s, "go tool mage test:all runs them too.")
	return err
}

// TestAll runs all checks that are tests: every go.mod is tidy, everything vets,
// and all tests pass, with the race detector if there is a C compiler for it.
func TestAll(ctx context.Context, out io.Writer) error {
	s := newScreen(out)
	fmt.Fprintln(s, "# All tests. They are compiled first, which takes minutes if the build cache is empty.")
	r := newResults(s)
	flags := []string{"-race", "./..."}
	if why := noRace(ctx); why != "" {
		fmt.Fprintln(s, "SKIP the race detector:", why)
		flags = flags[1:]
	}
	for _, dir := range modules {
		r.check(ctx, dir, "mod", "tidy", "-diff")
		r.check(ctx, dir, "vet", "./...")
		r.test(ctx, s, dir, flags)
	}
	// Go sees the magefiles only with their tag.
	r.check(ctx, ".", "vet", "-tags=mage", "./magefiles/...", "./internal/dev/targets")
	return r.conclude()
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

// check runs a go command that succeeds if all is well.
func (r *results) check(ctx context.Context, dir string, args ...string) {
	if run(ctx, r.out, dir, append([]string{"go"}, args...)...) != nil {
		r.failures = append(r.failures, failure{"go " + args[0] + " in " + dir, goCommand(dir, args...)})
	}
}

// test runs go test in a module.
func (r *results) test(ctx context.Context, s *screen, dir string, args []string) {
	r.race = slices.Contains(args, "-race")
	args = slices.Concat([]string{"test", "-json", limit}, args)
	if dir == "tests" {
		// They build and run what is in other modules, which Go does not see.
		args = slices.Insert(args, 1, "-count=1")
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Stderr = dir, s
	failed := len(r.failures)
	events, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		r.follow(s, dir, events)
		err = cmd.Wait()
	}
	if err != nil && len(r.failures) == failed { // it did not get as far as a test
		fmt.Fprintln(s, err)
		r.failures = append(r.failures, failure{"go test in " + dir, goCommand(dir, slices.DeleteFunc(args, func(a string) bool { return a == "-json" })...)})
	}
}

// follow takes events until they end, and shows meanwhile what goes on.
func (r *results) follow(s *screen, dir string, events io.Reader) {
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		in := bufio.NewReader(events)
		for {
			line, err := in.ReadBytes('\n')
			if len(line) > 0 {
				lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case line, more := <-lines:
			if !more {
				return
			}
			var e event
			if json.Unmarshal(line, &e) != nil {
				_, _ = s.Write(line) // what the go command says before it knows of JSON
				continue
			}
			r.add(dir, e)
		case at := <-tick.C:
			s.status(r.now(at))
		}
	}
}

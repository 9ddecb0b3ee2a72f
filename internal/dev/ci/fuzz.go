package ci

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
)

// Fuzz runs every fuzz target of the module in a directory, one after the other, for a
// time each. If one fails, it still runs the others.
func Fuzz(ctx context.Context, out io.Writer, dir string, each time.Duration) error {
	if each < time.Second {
		return fmt.Errorf("fuzz: %s for each target is too short: one second is the least", each)
	}
	list := exec.CommandContext(ctx, "go", "test", "-list=^Fuzz", "./...")
	list.Dir, list.Stderr = dir, out
	names, err := list.Output()
	if err != nil {
		fmt.Fprintf(out, "%s", names) // the compiler's errors
		return fmt.Errorf("fuzz: look for targets: %w", err)
	}
	targets := fuzzTargets(names)
	fmt.Fprintf(out, "%s, %s each: about %s\n", human.Count(len(targets), "target", "targets"), each, time.Duration(len(targets))*each)
	var errs []error
	for _, t := range targets {
		if err := t.run(ctx, out, dir, each); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			return errors.Join(append(errs, context.Cause(ctx))...)
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("fuzz: %d of %d targets failed:\n%w", len(errs), len(targets), errors.Join(errs...))
	}
	return nil
}

// fuzzTarget is a fuzz target of a package.
type fuzzTarget struct{ pkg, name string }

// fuzzTargets reads the output of go test -list: the names of a package's targets, then a
// line for the package.
func fuzzTargets(list []byte) []fuzzTarget {
	var targets []fuzzTarget
	var names []string
	for line := range strings.Lines(string(list)) {
		words := strings.Fields(line)
		switch {
		case len(words) == 1 && strings.HasPrefix(words[0], "Fuzz"):
			names = append(names, words[0])
		case len(words) > 1 && words[0] == "ok":
			for _, name := range names {
				targets = append(targets, fuzzTarget{words[1], name})
			}
			names = nil
		}
	}
	return targets
}

// onlyLate reports whether a target failed only because its time was up, which Go 1.26 may
// take for an error (golang/go#75804).
func onlyLate(said []byte) bool {
	return bytes.Contains(said, []byte("\n    context deadline exceeded\nFAIL\n")) && !bytes.Contains(said, []byte("Failing input written"))
}

// execs matches the count in each line of a target's progress.
var execs = regexp.MustCompile(`execs: (\d+)`)

// run runs a target and shows a line for it. If the target fails, run shows all its
// output.
func (t fuzzTarget) run(ctx context.Context, out io.Writer, dir string, each time.Duration) error {
	fmt.Fprintf(out, "== %s %s: ", t.pkg, t.name)
	cmd := exec.CommandContext(ctx, "go", "test", "-run=^$", "-fuzz=^"+t.name+"$", "-fuzztime="+each.String(),
		"-fuzzminimizetime=1s", // or most of the time goes into making inputs shorter
		"-timeout="+(each+10*time.Minute).String(), t.pkg)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	if err != nil && !onlyLate(said) {
		fmt.Fprintf(out, "FAILED\n%s", said)
		return fmt.Errorf("%s %s: %w", t.pkg, t.name, err)
	}
	runs := "0"
	for _, m := range execs.FindAllSubmatch(said, -1) {
		runs = string(m[1])
	}
	fmt.Fprintf(out, "ok, %s runs\n", runs)
	return nil
}

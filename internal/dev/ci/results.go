package ci

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/human"
)

// project is the path of the root module; the others' paths begin with it.
const project = "github.com/spirostack/spirodeploy"

// event is what go test -json prints (go doc test2json).
type event struct {
	Time                          time.Time
	Action, Package, Test, Output string
	Elapsed                       float64 // of a package or test that has ended, in seconds
}

// results are what go test -json tells of packages, and what else was run.
// They show each package when it ends, and each test that fails.
type results struct {
	out      io.Writer
	race     bool // the tests run with the race detector
	running  map[string]*packageRun
	passed   int
	skipped  map[string][]string // reason → tests
	failures []failure
	began    time.Time
}

// failure is something that failed, and the command that repeats it.
type failure struct{ what, repeat string }

func newResults(out io.Writer) *results {
	return &results{out: out, running: map[string]*packageRun{}, skipped: map[string][]string{}, began: time.Now()}
}

// packageRun is a package whose tests run.
type packageRun struct {
	dir                     string // of its module
	began                   time.Time
	tests                   map[string]*testRun // that have not ended
	passed, failed, skipped int
	cached                  bool
}

// testRun is a test that runs.
type testRun struct {
	since          time.Time
	said           strings.Builder
	parent, paused bool
	failedBelow    bool // it has subtests, and one of them failed
}

// add takes an event of a module's tests.
func (r *results) add(dir string, e event) {
	if e.Action == "build-output" {
		fmt.Fprint(r.out, e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := r.running[e.Package]
	if p == nil {
		p = &packageRun{dir: dir, began: e.Time, tests: map[string]*testRun{}}
		r.running[e.Package] = p
	}
	if e.Test != "" {
		r.addTest(p, e)
		return
	}
	switch e.Action {
	case "output":
		switch {
		case strings.HasSuffix(e.Output, "\t(cached)\n"):
			p.cached = true
		case !ending.MatchString(e.Output):
			fmt.Fprint(r.out, e.Output)
		}
	case "pass", "fail", "skip":
		r.end(p, e)
	}
}

// ending are the lines at the end of a package's output, of which results make their own.
var ending = regexp.MustCompile(`^(PASS|FAIL|exit status \d+|testing: warning: no tests to run)\n$|^(ok  |FAIL|\?   )\t`)

func (r *results) addTest(p *packageRun, e event) {
	t := p.tests[e.Test]
	if t == nil {
		t = &testRun{since: e.Time}
		p.tests[e.Test] = t
	}
	switch e.Action {
	case "run":
		if above := p.above(e.Test); above != nil {
			above.parent = true
		}
	case "pause":
		t.paused = true
	case "cont":
		t.paused, t.since = false, e.Time
	case "output":
		if !strings.HasPrefix(e.Output, "=== ") {
			t.said.WriteString(e.Output)
		}
	case "pass":
		delete(p.tests, e.Test)
		if !t.parent {
			p.passed++
		}
	case "skip":
		delete(p.tests, e.Test)
		p.skipped++
		reason := why(t.said.String())
		r.skipped[reason] = append(r.skipped[reason], e.Test)
	case "fail":
		r.failed(p, e, "")
	}
}

// above returns the test that a subtest belongs to.
func (p *packageRun) above(test string) *testRun {
	i := strings.LastIndexByte(test, '/')
	if i < 0 {
		return nil
	}
	if above := p.tests[test[:i]]; above != nil {
		return above
	}
	return p.above(test[:i]) // a name with a slash in it
}

// failed shows a test that failed and, unless a subtest of it is to blame, notes it.
func (r *results) failed(p *packageRun, e event, how string) {
	t := p.tests[e.Test]
	delete(p.tests, e.Test)
	fmt.Fprint(r.out, t.said.String())
	if above := p.above(e.Test); above != nil {
		above.failedBelow = true
	}
	if !t.failedBelow {
		p.failed++
		r.failures = append(r.failures, failure{place(e.Package) + " " + e.Test + how, r.repeat(p.dir, e.Package, e.Test)})
	}
}

// end shows how a package ended.
func (r *results) end(p *packageRun, e event) {
	delete(r.running, e.Package)
	if e.Action == "skip" {
		return // it has no tests
	}
	// When a program ends in the middle, its innermost tests are the last to be heard of.
	left := slices.SortedFunc(maps.Keys(p.tests), func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	for _, test := range left {
		r.failed(p, event{Package: e.Package, Test: test}, " (it did not end)")
	}
	if e.Action == "fail" && p.failed == 0 {
		r.failures = append(r.failures, failure{place(e.Package), r.repeat(p.dir, e.Package, "")})
	}
	r.passed += p.passed
	took := fmt.Sprintf("%.1fs", e.Elapsed)
	if p.cached {
		took = "cached"
	}
	line := fmt.Sprintf("%-4s %7s  %s: %d passed", map[bool]string{true: "ok", false: "FAIL"}[e.Action == "pass"], took, place(e.Package), p.passed)
	if p.failed > 0 {
		line += fmt.Sprintf(", %d failed", p.failed)
	}
	if p.skipped > 0 {
		line += fmt.Sprintf(", %d skipped", p.skipped)
	}
	fmt.Fprintln(r.out, line)
}

// place returns a package's directory.
func place(pkg string) string {
	return cmp.Or(strings.TrimPrefix(strings.TrimPrefix(pkg, project), "/"), ".")
}

// repeat returns the command that runs a test again, or a package's tests.
func (r *results) repeat(dir, pkg, test string) string {
	args := []string{"test", "-count=1"}
	if r.race {
		args = append(args, "-race")
	}
	if place(pkg) == dir {
		args = append(args, ".")
	} else {
		args = append(args, "./"+strings.TrimPrefix(place(pkg), dir+"/"))
	}
	if test != "" {
		var levels []string
		for level := range strings.SplitSeq(test, "/") {
			levels = append(levels, "^"+regexp.QuoteMeta(level)+"$")
		}
		args = append(args, "-run", "'"+strings.ReplaceAll(strings.Join(levels, "/"), "'", `'\''`)+"'")
	}
	return goCommand(dir, args...)
}

// goCommand returns a command line that runs go in a directory.
func goCommand(dir string, args ...string) string {
	if dir == "." {
		return "go " + strings.Join(args, " ")
	}
	return "go -C " + dir + " " + strings.Join(args, " ")
}

// now returns what runs at a time, the longest first.
func (r *results) now(at time.Time) string {
	type item struct {
		what  string
		since time.Time
	}
	var items []item
	for name, p := range r.running {
		before := len(items)
		for test, t := range p.tests {
			if !t.parent && !t.paused { // a test that waits for its subtests says less than they do
				items = append(items, item{place(name) + " " + test, t.since})
			}
		}
		if len(items) == before {
			items = append(items, item{place(name), p.began})
		}
	}
	if len(items) == 0 {
		return "compiling"
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.what, b.what)) })
	const most = 3
	var said []string
	for _, i := range items[:min(most, len(items))] {
		said = append(said, fmt.Sprintf("%s %s", i.what, at.Sub(i.since).Round(time.Second)))
	}
	if more := len(items) - most; more > 0 {
		said = append(said, fmt.Sprintf("%d more", more))
	}
	return "running: " + strings.Join(said, ", ")
}

// conclude shows the sum of it all. It returns an error if anything failed.
func (r *results) conclude() error {
	skips := 0
	for _, tests := range r.skipped {
		skips += len(tests)
	}
	fmt.Fprintf(r.out, "\n%d passed, %d failed, %d skipped in %s\n", r.passed, len(r.failures), skips, time.Since(r.began).Round(time.Second))
	if skips > 0 {
		fmt.Fprintln(r.out, "\nSkipped:")
		reasons := slices.SortedFunc(maps.Keys(r.skipped), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(r.skipped[b]), len(r.skipped[a])), cmp.Compare(a, b))
		})
		for _, reason := range reasons {
			fmt.Fprintf(r.out, "  %3d  %s (%s)\n", len(r.skipped[reason]), reason, some(r.skipped[reason]))
		}
	}
	if len(r.failures) == 0 {
		return nil
	}
	fmt.Fprintln(r.out, "\nFailed, each with the command that repeats it:")
	for _, f := range r.failures {
		fmt.Fprintf(r.out, "  %s\n      %s\n", f.what, f.repeat)
	}
	return fmt.Errorf("%s failed", human.Count(len(r.failures), "test or check", "tests or checks"))
}

// some names the first of several tests.
func some(tests []string) string {
	const most = 3
	if len(tests) <= most {
		return strings.Join(tests, ", ")
	}
	return strings.Join(tests[:most], ", ") + ", …"
}

// why returns the reason among what a skipped test said: the line of its t.Skip.
func why(said string) string {
	reason := "no reason given"
	for line := range strings.Lines(said) {
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "---") {
			if _, after, ok := strings.Cut(text, ": "); ok { // after file and line
				reason = after
			}
		}
	}
	return reason
}

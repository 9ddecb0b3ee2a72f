// Package bench measures the command beside the tools that people would use in
// its place, on trees that it makes: time, ratio and peak memory.
package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Options say what to measure.
type Options struct {
	Runs int    // how often each command runs; default 5
	Only string // only cases whose name has this in it; default all
	JSON string // file for the results; default none
	Out  io.Writer
}

// Result is what a command of a case came to.
type Result struct {
	Case    string        `json:"case"`
	What    string        `json:"what"` // "ours" or the name of a peer
	Median  time.Duration `json:"medianNs"`
	Least   time.Duration `json:"leastNs"`
	Most    time.Duration `json:"mostNs"`
	PeakKiB int64         `json:"peakKiB"` // of the whole process, or of the largest of several; the most of all runs
	// Ratio is our median by the peer's; 0 for ours.
	Ratio float64 `json:"ratio,omitempty"`
	// Value is what is measured where that is not the time of a process.
	Value string `json:"value,omitempty"`
}

// bench is a run of all cases.
type bench struct {
	Options
	dir     string // for all that is made
	ours    string // path of the command
	measure string // path of the program that measures
	server  string // path of the server
	results []Result
}

// Run measures. It is to be called in the module's root. It needs openssl, tar,
// tee and curl for the peers; what is not there is left out, with a line that
// says so. What it writes lies below a temporary directory, and takes 13 GiB.
func Run(ctx context.Context, opts Options) (err error) {
	opts.Runs = cmp.Or(opts.Runs, 5)
	b := &bench{Options: opts}
	if b.dir, err = os.MkdirTemp("", "spirodeploy-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	for program, pkg := range map[*string]string{
		&b.ours: "./spirodeploy/cmd/spiro-deploy", &b.measure: "./internal/dev/bench/measure", &b.server: "./internal/dev/bench/server",
	} {
		*program = filepath.Join(b.dir, filepath.Base(pkg))
		build := exec.CommandContext(ctx, "go", "build", "-o", *program, pkg)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	for _, c := range cases {
		if !strings.Contains(c.name, b.Only) {
			continue
		}
		if err := c.run(ctx, b, c.name); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	b.table()
	if b.JSON == "" {
		return nil
	}
	text, err := json.MarshalIndent(b.results, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(b.JSON, append(text, '\n'), 0o644)
}

// contender is a command that takes part in a case.
type contender struct {
	what    string
	needs   string // a program that it runs, if that is not the command's first word
	command []string
	env     []string
	before  func() error // done before each run, and not measured
}

// sample is what one run came to, as the program "measure" tells it.
type sample struct {
	Wall    time.Duration
	PeakKiB int64
}

// race runs the contenders in turn, so that what else the machine does meets all
// of them, after one round that does not count. The first of them is ours.
func (b *bench) race(ctx context.Context, name string, contenders ...contender) error {
	contenders = slices.DeleteFunc(contenders, func(c contender) bool {
		_, err := exec.LookPath(cmp.Or(c.needs, c.command[0]))
		if err != nil {
			fmt.Fprintf(b.Out, "%s: without %s: %v\n", name, c.what, err)
		}
		return err != nil
	})
	samples := make([][]sample, len(contenders))
	for round := range b.Runs + 1 {
		for i, c := range contenders {
			s, err := b.once(ctx, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.what, err)
			}
			if round > 0 {
				samples[i] = append(samples[i], s)
			}
		}
	}
	var ours time.Duration
	for i, c := range contenders {
		r := summary(samples[i])
		r.Case, r.What = name, c.what
		if i == 0 {
			ours = r.Median
		} else {
			r.Ratio = float64(ours) / float64(r.Median)
		}
		b.add(r)
	}
	return nil
}

func (b *bench) add(r Result) {
	b.results = append(b.results, r)
	fmt.Fprintf(b.Out, "%-34s %-34s %s\n", r.Case, r.What, r.measured())
}

func (r Result) measured() string {
	if r.Value != "" {
		return r.Value
	}
	text := fmt.Sprintf("%9s  (%s to %s)", round(r.Median), round(r.Least), round(r.Most))
	if r.Ratio > 0 {
		text += fmt.Sprintf("  ratio %.2f", r.Ratio)
	}
	return text + fmt.Sprintf("  peak %d MiB", (r.PeakKiB+512)>>10)
}

func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(100 * time.Microsecond)
}

func summary(samples []sample) Result {
	slices.SortFunc(samples, func(x, y sample) int { return cmp.Compare(x.Wall, y.Wall) })
	r := Result{Median: samples[len(samples)/2].Wall, Least: samples[0].Wall, Most: samples[len(samples)-1].Wall}
	for _, s := range samples {
		r.PeakKiB = max(r.PeakKiB, s.PeakKiB)
	}
	return r
}

// once runs a command by way of a small program that measures it: Linux counts
// the memory of whoever starts a process as that process's own.
func (b *bench) once(ctx context.Context, c contender) (sample, error) {
	if c.before != nil {
		if err := c.before(); err != nil {
			return sample{}, err
		}
	}
	file := filepath.Join(b.dir, "sample")
	cmd := exec.CommandContext(ctx, b.measure, append([]string{file}, c.command...)...)
	cmd.Env = append(os.Environ(), c.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return sample{}, fmt.Errorf("%w\n%s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return sample{}, err
	}
	var s sample
	return s, json.Unmarshal(text, &s)
}

// table prints the results as a table of Markdown.
func (b *bench) table() {
	fmt.Fprint(b.Out, "\n| case | command | measured |\n|---|---|---|\n")
	for _, r := range b.results {
		fmt.Fprintf(b.Out, "| %s | %s | %s |\n", r.Case, strings.ReplaceAll(r.What, "|", `\|`), strings.TrimSpace(r.measured()))
	}
}

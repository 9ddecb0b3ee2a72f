// Package bench compares the command with the tools that people would use in its place:
// time, ratio and peak memory, on trees that it makes.
package bench

import (
	"bytes"
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
	Runs int    // how often each command runs
	Only string // only cases whose name has this in it; default all
	JSON string // file for the results; default none
	Out  io.Writer
}

// Result is the result of a command in a case.
type Result struct {
	Case    string        `json:"case"`
	What    string        `json:"what"` // "ours" or the name of a peer
	Median  time.Duration `json:"medianNs"`
	Least   time.Duration `json:"leastNs"`
	Most    time.Duration `json:"mostNs"`
	PeakKiB int64         `json:"peakKiB"` // of the largest process, in the run that used most; 0 if not known
	// Ratio is our median by the peer's; 0 for ours.
	Ratio float64 `json:"ratio,omitempty"`
	// Value is the measurement if that is not the time of a process.
	Value string `json:"value,omitempty"`
}

// bench is a run of all cases.
type bench struct {
	Options
	dir     string // for everything that the run makes
	ours    string // path of the command
	measure string // path of the program that measures
	results []Result
}

// Run measures. The caller must be in the module's root. The peers need openssl, tar,
// tee and curl; Run leaves out what is not there, with a line that says so. It
// needs 7 GiB below a temporary directory, and 8 more if files of zeros take room there.
func Run(ctx context.Context, opts Options) (err error) {
	if opts.Runs < 1 {
		return fmt.Errorf("%d runs: there must be one at least", opts.Runs)
	}
	b := &bench{Options: opts}
	if b.dir, err = os.MkdirTemp("", "spirodeploy-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	b.ours, b.measure = filepath.Join(b.dir, "spiro-deploy"), filepath.Join(b.dir, "measure")
	build := exec.CommandContext(ctx, "go", "build", "-o", b.dir, "./spirodeploy/cmd/spiro-deploy", "./internal/dev/bench/measure")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the command: %w\n%s", err, out)
	}
	for _, c := range cases {
		if !strings.Contains(c.name, b.Only) {
			continue
		}
		if err := b.play(ctx, c); err != nil {
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

// play sets up what a case needs, and measures it.
func (b *bench) play(ctx context.Context, c benchCase) (err error) {
	s := stage{bench: b, name: c.name}
	if c.tree.make != nil {
		if s.dir, err = b.made(c.tree); err != nil {
			return err
		}
	}
	if c.tar {
		s.tar = filepath.Join(b.dir, "finished.tar")
		defer func() { _ = os.Remove(s.tar) }() // the directory is removed anyway
		if _, err := b.once(ctx, contender{command: []string{b.ours, "--dir", s.dir, "--output", s.tar}}); err != nil {
			return err
		}
	}
	if c.serve != nil {
		if s.served, err = c.serve(filepath.Join(b.dir, "served")); err != nil {
			return err
		}
		defer s.stop()
	}
	return c.run(ctx, s)
}

// contender is a command that takes part in a case.
type contender struct {
	what    string
	needs   string // a program that it runs, if that is not the command's first word
	command []string
	env     []string
	before  func() error // runs before each run, and is not measured
}

// sample is the result of one run, as the program "measure" writes it.
type sample struct {
	Wall    time.Duration
	PeakKiB int64
}

// race runs the contenders in turn, so that other work of the machine disturbs them all
// alike. The first round does not count. The first contender is ours.
func (s stage) race(ctx context.Context, contenders ...contender) error {
	contenders = slices.DeleteFunc(contenders, func(c contender) bool {
		_, err := exec.LookPath(cmp.Or(c.needs, c.command[0]))
		if err != nil {
			fmt.Fprintf(s.Out, "%s: without %s: %v\n", s.name, c.what, err)
		}
		return err != nil
	})
	samples := make([][]sample, len(contenders))
	for round := range s.Runs + 1 {
		for i, c := range contenders {
			one, err := s.once(ctx, c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.what, err)
			}
			if round > 0 {
				samples[i] = append(samples[i], one)
			}
		}
	}
	var ours time.Duration
	for i, c := range contenders {
		r := summary(samples[i])
		r.What = c.what
		if i == 0 {
			ours = r.Median
		} else {
			r.Ratio = float64(ours) / float64(r.Median)
		}
		s.add(r)
	}
	return nil
}

func (s stage) add(r Result) {
	r.Case = s.name
	s.results = append(s.results, r)
	fmt.Fprintf(s.Out, "%-34s %-34s %s\n", r.Case, r.What, r.measured())
}

func (r Result) measured() string {
	if r.Value != "" {
		return r.Value
	}
	text := fmt.Sprintf("%9s  (%s to %s)", round(r.Median), round(r.Least), round(r.Most))
	if r.Ratio > 0 {
		text += fmt.Sprintf("  ratio %.2f", r.Ratio)
	}
	if r.PeakKiB == 0 {
		return text + "  peak not known"
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

// once runs a command through a small program that measures it, since Linux counts the
// memory of the process that starts another as the other's.
func (b *bench) once(ctx context.Context, c contender) (sample, error) {
	if c.before != nil {
		if err := c.before(); err != nil {
			return sample{}, err
		}
	}
	file := filepath.Join(b.dir, "sample")
	cmd := exec.CommandContext(ctx, b.measure, append([]string{file}, c.command...)...)
	cmd.Env = append(os.Environ(), c.env...)
	var said bytes.Buffer
	cmd.Stderr = &said // standard output is lost: reading it would take time
	if err := cmd.Run(); err != nil {
		return sample{}, fmt.Errorf("%w\n%s", err, &said)
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

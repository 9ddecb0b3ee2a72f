// Package cli is what the command and the mage targets share: it turns what
// people type, and the environment, into the options of the library, and what
// the library returns into text, files and an exit status.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// World is where a run takes place.
type World struct {
	Getenv func(string) string
	Stdout io.Writer // for results
	Stderr io.Writer // for the story

	discreet
	warnings *warnings
}

// warnings are what was found before a run, and is worth a word in it.
type warnings struct{ texts []string }

func (w *warnings) add(text string) {
	if w != nil && !slices.Contains(w.texts, text) {
		w.texts = append(w.texts, text)
	}
}

// Process is the world of this process.
func Process() World {
	return World{Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr, discreet: discreet{ownsLog: true}}
}

// Run does what the settings ask for. Its error is an [*Error].
func (w World) Run(ctx context.Context, s Settings) error {
	switch {
	case s.Output != "":
		return w.Build(ctx, s)
	case s.Diff != "":
		return w.Diff(ctx, s)
	}
	return w.discreetly(s, func(w World) error { return w.deploy(ctx, s) })
}

// Error is an error with an exit status.
type Error struct {
	Status int
	Err    error
	Told   bool // the summary has said so already
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// ExitStatus returns the exit status; mage uses it.
func (e *Error) ExitStatus() int { return e.Status }

// invalid returns an error for what is wrong on this side.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	status := report.Invalid
	if report.Classify(err) == report.Interrupted {
		status = report.Interrupted
	}
	return &Error{Status: status.ExitStatus(), Err: err}
}

// surviveClosedOutput keeps this process alive when whoever reads its output
// stops: a deployment must not break off for that, nor its exit status get lost.
var surviveClosedOutput = sync.OnceFunc(func() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // writing now fails instead
})

func (w World) deploy(ctx context.Context, s Settings) error {
	surviveClosedOutput()
	w.warnings = new(warnings)
	afterwards := ctx // for the reports, which the time for the run is not for
	ctx, cancel := s.limit(ctx)
	defer cancel()
	reports, reportsErr := parseReports(s.Reports)
	server, serverErr := w.serverOptions(ctx, s)
	targets, listed, targetsErr := w.targets(ctx, s, server)
	inputs := append(s.inputs(), listed...)
	bundleOptions, bundleErr := w.bundleOptions(s, reports, inputs)
	if err := checkInputs(reports, inputs); err != nil {
		// Before a report takes the place of what is read.
		return invalid(errlist.Join(s.contradictions(), reportsErr, err, bundleErr, serverErr, targetsErr))
	}
	if targetsErr != nil && len(targets) == 0 {
		server.Token = unread() // nobody knows whether one is missing
	}
	expected, expectErr := w.expected(ctx, s, targets)
	problems := errlist.Join(s.contradictions(), reportsErr, bundleErr, serverErr, targetsErr, expectErr)
	live, liveErr := w.follow(ctx, reports)
	watch, end := w.show(s, len(targets), reports...)
	rep, err := spirodeploy.Deploy(ctx, spirodeploy.Options{
		Project: s.Project, Deployment: s.Deployment,
		Targets: targets, Serial: s.Rollout == serial, MaxParallel: s.MaxParallel,
		Server: server, Bundle: bundleOptions, File: s.Bundle,
		NoHighstate: s.NoHighstate, RequireMinions: s.RequireMinions, FullToken: s.FullToken,
		ExpectMinions: expected, MinMinions: s.MinMinions, MissingMinions: report.Missing(s.MissingMinions), Strict: s.Strict,
		DryRun: s.DryRun, Warnings: w.warnings.texts, Spell: s.spell,
		Problems: []error{problems, liveErr},
		Watch: func(u report.Update) {
			watch(u)
			live.watch(u)
		},
	})
	defer func() { _ = rep.Close() }() // a file that nobody needs any more
	end()
	told := w.tell(rep, s, reports)
	reportErr := errlist.Join(live.end(), w.write(afterwards, rep, reports))
	w.summarize(rep, reports)
	switch {
	case err != nil:
		if reportErr != nil {
			fmt.Fprintf(w.Stderr, "warning: %v\n", reportErr)
		}
		if told && s.Mage { // which tells every error
			err = errors.New(shortened(rep) + ": " + string(rep.Verdict) + ", see above")
		}
		return &Error{Status: rep.ExitStatus, Err: err, Told: told}
	case reportErr != nil:
		return invalid(fmt.Errorf("%s, but %w", rep.Summary(), reportErr))
	}
	return nil
}

// harmless returns an error whose text is no command to the log of a CI service:
// front ends print it as it is.
func (w World) harmless(err error) error {
	if text := w.log(w.rawStderr).Harmless(err.Error()); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// shortened says which run it was, in a few words.
func shortened(rep *report.Report) string {
	if len(rep.Targets) > 1 {
		return human.Count(len(rep.Targets), "target", "targets")
	}
	return sanitize.Line(rep.Targets[0].Saltenv)
}

// tell writes what the run came to, and reports whether whoever is to see its
// error has seen it there.
func (w World) tell(rep *report.Report, s Settings, reports []reportFile) bool {
	// A run that the server never took up has no result to show beside its error,
	// but in a log that is to mark the error.
	heard := slices.ContainsFunc(rep.Targets, func(t *report.Target) bool { return len(t.Events) > 0 })
	if !heard && rep.Verdict != report.Success && w.log(w.bytes) != view.GitHub {
		return false
	}
	// The result goes to standard output, unless a report is what goes there.
	out, raw, seen := w.Stdout, w.bytes, w.together()
	if slices.ContainsFunc(reports, func(r reportFile) bool { return r.path == atomicfile.Stdout }) {
		out, raw, seen = w.Stderr, w.rawStderr, true
	}
	err := view.Text(out, rep, w.summaryOptions(s, raw))
	if err != nil && !errors.Is(err, syscall.EPIPE) { // that nobody reads is nobody's trouble
		fmt.Fprintf(w.Stderr, "warning: the summary could not be written: %v\n", err)
	}
	return seen && err == nil
}

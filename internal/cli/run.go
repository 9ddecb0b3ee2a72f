package cli

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// deploy goes one way: settings, plan, run, views, exit status.
func (w World) deploy(ctx context.Context, s Settings) error {
	surviveClosedOutput()
	limited, cancel := s.limit(ctx)
	defer cancel()
	p, err := w.plan(limited, s)
	if err != nil {
		return err
	}
	defer w.fetch(p)()
	end := w.open(limited, p)
	rep, err := spirodeploy.Deploy(limited, p.options)
	defer func() { _ = rep.Close() }() // its temporary file is of no use any more
	after, cancelAfter := afterwards(ctx, limited)
	defer cancelAfter()
	told, reportErr := end(after, rep)
	return w.status(s, rep, err, told, reportErr)
}

// afterwards returns the context for the reports of a run. They have some time after the end
// of a limited run, and not more: a pipe may have no reader.
func afterwards(ctx, limited context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := limited.Deadline()
	if !ok || ctx.Err() != nil {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, deadline.Add(lastReports), report.ErrTimeout)
}

// A plan is what a run is to do: settings that have been read.
type plan struct {
	settings Settings
	options  spirodeploy.Options
	reports  []reportFile
}

// plan reads the settings, the environment and the files that they name. The plan's
// Problems are what is wrong with them: Deploy adds what it finds, and sends nothing.
// An error means that a report would replace a file that the run reads, or that a target has
// no name to show.
func (w World) plan(ctx context.Context, s Settings) (*plan, error) {
	reports, reportsErr := parseReports(s.Reports, w.env("GITHUB_STEP_SUMMARY"))
	if slices.ContainsFunc(reports, func(r reportFile) bool { return r.path == atomicfile.Stdout }) {
		if err := atomicfile.CheckStdout(w.bytes); err != nil {
			reportsErr = errlist.Join(reportsErr, fmt.Errorf("report: %w", err))
		}
	}
	server, serverErr := w.serverOptions(ctx, s)
	targets, listed, targetsErr := w.targets(ctx, s, server)
	files := append(s.inputs(), listed...)
	inputs := files
	for _, r := range reports {
		files = append(slices.Clip(files), r.path)
	}
	bundleOptions, bundleErr := w.bundleOptions(s, files)
	inputsErr := checkInputs(reports, inputs, bundleOptions)
	problems := []error{s.Contradictions(), reportsErr, bundleErr, serverErr, targetsErr}
	if s.Targets == "" {
		problems = append(problems, CheckGiven("PROJECT", s.Project), CheckGiven("DEPLOYMENT", s.Deployment))
	}
	if inputsErr != nil || s.nameless(targets) {
		return nil, errlist.Join(append(problems, inputsErr)...)
	}
	lost := targetsErr != nil && len(targets) == 0 // the list may have named other servers and tokens
	if lost {
		server = client.Options{Token: unread()}
	}
	expected, expectErr := w.expected(ctx, s, targets)
	return &plan{s, spirodeploy.Options{
		Project: s.Project, Deployment: s.Deployment,
		Targets: targets, Serial: s.Rollout == serial, MaxParallel: s.MaxParallel,
		Server: server, Bundle: bundleOptions, File: s.Bundle,
		NoHighstate: s.NoHighstate(), RequireMinions: s.RequireMinions, FullToken: s.FullToken(),
		ExpectMinions: expected, MinMinions: s.MinMinions, MissingMinions: report.Missing(s.MissingMinions), Strict: s.Strict,
		DryRun: s.DryRun, Brief: !s.Verbose && !slices.ContainsFunc(reports, reportFile.whole), Warnings: w.warnings.texts, Spell: s.Spell,
		Problems: append(problems, expectErr),
	}, reports}, nil
}

// open opens what shows a run while it goes on, the story and the live reports, and makes
// the plan tell them what happens. The function end shows the result and writes the other
// reports. It returns whether the user has seen the error of the run, and why a report
// was not written.
func (w World) open(ctx context.Context, p *plan) (end func(context.Context, *report.Report) (told bool, err error)) {
	live := w.follow(ctx, p)
	story, endStory := w.show(p.settings, len(p.options.Targets), p.reports...)
	p.options.Watch = func(u report.Update) {
		story(u)
		for _, r := range live {
			r.watch(u)
		}
	}
	return func(ctx context.Context, rep *report.Report) (told bool, err error) {
		endStory()
		told = w.tell(rep, p.settings, p.reports)
		var errs []error
		for _, r := range live {
			errs = append(errs, r.end())
		}
		err = errlist.Join(append(errs, w.write(ctx, rep, p.reports))...)
		w.summarize(p.settings, rep, p.reports)
		return told, err
	}
}

// status returns the error, with its exit status, of a run that failed or whose
// reports could not be written.
func (w World) status(s Settings, rep *report.Report, err error, told bool, reportErr error) error {
	switch {
	case err == nil && reportErr == nil:
		return nil
	case err == nil:
		return withStatus(fmt.Errorf("%s, but %w", rep.Summary(), reportErr))
	case reportErr != nil:
		fmt.Fprintf(w.Stderr, "warning: %s\n", w.said(s, reportErr))
	}
	if told && s.Mage { // mage prints every error
		err = errors.New(shortened(rep) + ": " + string(rep.Verdict) + ", see above")
	}
	return &Error{Status: rep.ExitStatus, Err: err, Told: told}
}

// surviveClosedOutput keeps this process alive if the reader of its output goes away: the
// deployment must go on, and the exit status count.
var surviveClosedOutput = sync.OnceFunc(func() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // writes fail from now on, and kill nobody
})

// shortened names the run in a few words.
func shortened(rep *report.Report) string {
	if len(rep.Targets) > 1 {
		return human.Count(len(rep.Targets), "target", "targets")
	}
	return sanitize.Line(rep.Targets[0].Saltenv)
}

// tell prints the result of the run, and reports whether the user sees the error in it.
func (w World) tell(rep *report.Report, s Settings, reports []reportFile) bool {
	// The result of a run without any event is its error alone, which GitHub's log marks.
	heard := slices.ContainsFunc(rep.Targets, func(t *report.Target) bool { return len(t.Events) > 0 })
	if !heard && rep.Verdict != report.Success && w.log(w.bytes) != view.GitHub {
		return false
	}
	// The result goes to standard output, or to standard error if a report goes there.
	out, raw, seen := w.Stdout, w.bytes, w.together()
	if slices.ContainsFunc(reports, func(r reportFile) bool { return r.path == atomicfile.Stdout }) {
		out, raw, seen = w.Stderr, w.rawStderr, true
	}
	err := view.Text(out, rep, w.summaryOptions(s, raw))
	if err != nil && !errors.Is(err, syscall.EPIPE) { // a closed pipe is not an error
		fmt.Fprintf(w.Stderr, "warning: the summary could not be written: %v\n", err)
	}
	return seen && err == nil
}

package spirodeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/listing"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// run is a run on its way.
type run struct {
	opts   Options
	report *report.Report
	legs   []*leg

	mu    sync.Mutex   // of what is told, and of the report while it is folded
	stage report.Stage // the one that goes on and concerns all targets, or ""

	sls map[string]bool // names of the SLS in the bundle
}

// newRun returns a run with a leg for each target.
func newRun(opts Options) *run {
	targets := opts.Targets
	if len(targets) == 0 {
		targets = []Target{{}}
	}
	r := &run{opts: opts}
	var requests []report.Request
	for _, t := range targets {
		l := newLeg(r, t)
		r.legs = append(r.legs, l)
		requests = append(requests, report.Request{
			Name: l.name, Project: l.project, Deployment: l.deployment,
			Highstate: !opts.NoHighstate, RequireMinions: opts.RequireMinions, DryRun: opts.DryRun,
			Expected: slices.Clone(opts.ExpectMinions), MinMinions: opts.MinMinions, MissingMinions: opts.MissingMinions,
		})
	}
	r.report = report.New(requests...)
	r.report.Spell = opts.Spell
	for i, l := range r.legs {
		l.target = r.report.Targets[i]
	}
	return r
}

// run goes through all stages. Each target has its verdict when it returns.
func (r *run) run(ctx context.Context) {
	tar, problems := r.prepare(ctx)
	if tar != nil {
		defer tar.Close()
	}
	if problems == nil && r.opts.DryRun {
		if err := r.list(ctx, tar); err != nil {
			problems = slices.Repeat([]error{err}, len(r.legs))
		}
	}
	if problems != nil {
		for i, l := range r.legs {
			l.finish(ctx, unsent(ctx, problems[i]))
		}
		return
	}
	if r.opts.Serial {
		r.serial(ctx, tar)
		return
	}
	r.parallel(ctx, tar)
}

// serial stops at the first target that fails.
func (r *run) serial(ctx context.Context, tar tarball) {
	var failed *leg
	for _, l := range r.legs {
		if failed != nil {
			l.finish(ctx, &report.NotStartedError{After: failed.name})
			continue
		}
		l.finish(ctx, l.deploy(ctx, tar))
		r.report.Settle() // minions that no later target expects had to be there
		if l.target.Verdict != report.Success {
			failed = l
		}
	}
}

func (r *run) parallel(ctx context.Context, tar tarball) {
	room := make(chan struct{}, cmp.Or(max(0, r.opts.MaxParallel), len(r.legs)))
	var running sync.WaitGroup
	for _, l := range r.legs {
		room <- struct{}{}
		running.Go(func() {
			l.finish(ctx, l.deploy(ctx, tar))
			<-room
		})
	}
	running.Wait()
}

// unsent returns the error of what is done before the upload. If the context is
// why it broke off, nothing else says that the server has got nothing.
func unsent(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = &fault.Error{Err: ctxio.Reason(ctx), Outcome: "nothing was sent"}
	}
	return &report.UnsentError{Err: err}
}

// errOthers is for a target with which nothing is wrong, when nothing is sent.
var errOthers = errors.New("nothing was sent, since something is wrong with another target")

// prepare does all that can fail before anything is sent, and reports every
// problem that it finds together: for each target its own, and those of all.
func (r *run) prepare(ctx context.Context) (tarball, []error) {
	own := make([]error, len(r.legs))
	for i, l := range r.legs {
		own[i] = l.prepare()
	}
	shared := errlist.Join(slices.Concat(r.opts.Problems, r.checkNames())...)
	r.tell(report.Update{Kind: report.Began, Stage: report.Bundling})
	tar, err := r.bundle(ctx)
	ofTree := []error{err}
	if problems, ok := err.(bundle.Problems); ok { //nolint:errorlint // one that is wrapped has a text of its own
		ofTree = problems.Unwrap()
	}
	warnings := make([][]string, len(r.legs))
	if tar != nil {
		r.sls = slsOf(tar)
		for i, l := range r.legs {
			var found []error
			found, warnings[i] = l.checkTop(ctx, tar)
			warnings[i] = append(warnings[i], l.plainLimit(tar)...)
			own[i] = errlist.Join(slices.Concat([]error{own[i]}, found)...)
		}
		shared = errlist.Join(shared, r.tooStrict(tar, warnings))
	}
	if all := errlist.Join(slices.Concat([]error{shared}, own, ofTree)...); all != nil {
		if tar != nil {
			_ = tar.Close() // the reason is already an error
		}
		r.tell(report.Update{Kind: report.Ended, Stage: report.Bundling, Err: all})
		for i := range own {
			if own[i] = errlist.Join(slices.Concat([]error{shared, own[i]}, ofTree)...); own[i] == nil {
				own[i] = errOthers
			}
		}
		return nil, own
	}
	for _, w := range r.ownWarnings(tar) {
		r.warn(report.Bundling, w)
	}
	r.warnEach(report.Bundling, warnings)
	for _, l := range r.legs {
		l.target.Bundle = report.Bundle{Commit: oneLine(tar.Commit()), Size: tar.Size(), Entries: tar.Len()}
	}
	what := cmp.Or(r.opts.File, r.opts.Bundle.Dir, ".")
	r.tell(report.Update{
		Kind: report.Ended, Stage: report.Bundling,
		Text: fmt.Sprintf("%s: %s, %s", what, human.Count(tar.Len(), "entry", "entries"), human.Size(tar.Size())),
	})
	return tar, nil
}

// ownWarnings returns the warnings that concern all targets.
func (r *run) ownWarnings(tar tarball) []string {
	all := slices.Clone(r.opts.Warnings)
	for _, w := range tar.Warnings() {
		all = append(all, w.String())
	}
	return all
}

// tooStrict returns the warnings as problems, if they are to be that.
func (r *run) tooStrict(tar tarball, warnings [][]string) error {
	if !r.opts.Strict {
		return nil
	}
	return errlist.Join(Strict(slices.Concat(append([][]string{r.ownWarnings(tar)}, warnings...)...))...)
}

// Strict returns warnings as the problems that they are with [Options.Strict].
func Strict(warnings []string) []error {
	var errs []error
	for _, text := range union(warnings) {
		errs = append(errs, fmt.Errorf("%s (--strict allows no warning)", text))
	}
	return errs
}

// warnEach tells each target's own warnings; what is the same for all, once.
func (r *run) warnEach(stage report.Stage, warnings [][]string) {
	for i, l := range r.legs {
		for _, text := range warnings[i] {
			everywhere := !slices.ContainsFunc(warnings, func(of []string) bool { return !slices.Contains(of, text) })
			switch {
			case !everywhere:
				l.warn(stage, text)
			case i == 0:
				r.warn(stage, text)
			}
		}
	}
}

// settle sets the verdict of the run, and tells it and the minions that were missed.
func (r *run) settle() {
	r.report.Finish()
	for _, l := range r.legs {
		if text := l.target.MissedWarning(); text != "" {
			l.tell(report.Update{Kind: report.Warned, Stage: report.Highstate, Text: text})
		}
		for _, m := range l.target.Missed() {
			l.tell(report.Update{Kind: report.Missed, Stage: report.Highstate, Minion: m})
		}
	}
	r.tell(report.Update{Kind: report.Finished, Report: r.report})
}

// list puts what would be sent into the report.
func (r *run) list(ctx context.Context, tar tarball) error {
	in, err := tar.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	contents, err := bundle.Verify(ctxio.Reader(ctx, in))
	if err != nil {
		return err
	}
	listed := make([]report.Content, 0, len(contents.Items))
	for _, it := range contents.Items {
		listed = append(listed, listing.Content(it))
	}
	for _, l := range r.legs {
		l.target.Bundle.Digest, l.target.Bundle.Contents = contents.Digest, listed
	}
	return nil
}

// checkNames returns an error for each name that two targets have: nobody could
// tell which of them failed.
func (r *run) checkNames() []error {
	var errs []error
	seen := map[string]int{}
	for _, l := range r.legs {
		if seen[l.name]++; seen[l.name] == 2 {
			errs = append(errs, fmt.Errorf("two targets are called %q: give them names that differ", sanitize.Line(l.name)))
		}
	}
	return errs
}

// bundle makes the bundle, or opens the one that was given. For several targets
// it is then a copy, which is neither built nor hashed again.
func (r *run) bundle(ctx context.Context) (tarball, error) {
	tar, err := openBundle(ctx, r.opts)
	if err != nil || len(r.legs) == 1 {
		return tar, err
	}
	defer tar.Close()
	kept, err := bundle.Copy(ctx, tar)
	if err != nil {
		return nil, err
	}
	return copied{kept, tar}, nil
}

// copied is a copy of a bundle, of which only that is open.
type copied struct {
	*bundle.Copied
	of tarball
}

func (c copied) Len() int                     { return c.of.Len() }
func (c copied) Warnings() []bundle.Warning   { return c.of.Warnings() }
func (c copied) Commit() string               { return c.of.Commit() }
func (c copied) Items() iter.Seq[bundle.Item] { return c.of.Items() }

func (c copied) Has(name string) (dir, ok bool) { return c.of.Has(name) }

// openBundle makes the bundle, or opens the one that was given.
func openBundle(ctx context.Context, opts Options) (tarball, error) {
	if opts.File == "" {
		b, err := bundle.New(ctx, opts.Bundle)
		if err != nil {
			return nil, err // not b: a nil *Bundle is no nil tarball
		}
		return b, nil
	}
	f, err := bundle.OpenFile(ctx, opts.File)
	if err != nil {
		return nil, err
	}
	if want, got := opts.Bundle.Digest, f.Contents().Digest; want != "" && want != got {
		_ = f.Close() // the reason is already an error
		return nil, fmt.Errorf("%s: %w: it is %s, not %s", opts.File, bundle.ErrDigest, got, want)
	}
	return f, nil
}

// tell tells what happens to all targets.
func (r *run) tell(u report.Update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stage = stageAfter(r.stage, u)
	r.show(u)
}

// stageAfter returns the stage that goes on after an update.
func stageAfter(stage report.Stage, u report.Update) report.Stage {
	switch u.Kind {
	case report.Began:
		return u.Stage
	case report.Ended:
		return ""
	case report.Progressed, report.Waited, report.Warned, report.Happened, report.Missed, report.Finished:
	}
	return stage
}

// beat tells what goes on.
func (r *run) beat() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stage != "" {
		r.show(report.Update{Kind: report.Waited, Stage: r.stage})
	}
	for _, l := range r.legs {
		if l.stage != "" {
			r.show(report.Update{Kind: report.Waited, Stage: l.stage, Target: l.label(), Silence: l.silence()})
		}
	}
}

// show needs r.mu.
func (r *run) show(u report.Update) {
	if r.opts.Watch != nil {
		u.Time = time.Now()
		if u.Err != nil {
			u.Text = fault.Line(u.Err, r.opts.Spell)
		}
		r.opts.Watch(u)
	}
}

// warn warns of what concerns all targets.
func (r *run) warn(stage report.Stage, text string) {
	for _, l := range r.legs {
		l.target.Warn(text)
	}
	r.tell(report.Update{Kind: report.Warned, Stage: stage, Text: text})
}

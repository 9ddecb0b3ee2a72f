package spirodeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/listing"
	"github.com/spirostack/spirodeploy/internal/preflight"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// run is a deployment to all targets.
type run struct {
	opts   Options
	report *report.Report
	origin string // of a bundle that was fetched
	legs   []*leg

	mu     sync.Mutex              // guards telling, stages, and the report while events are folded
	stages map[string]report.Stage // the current ones, by name of the target; "" if there is only one

	sls func() map[string]bool // the names of the SLS in the bundle
}

// newRun returns a run with a leg for each target.
func newRun(opts Options) *run {
	targets := opts.Targets
	if len(targets) == 0 {
		targets = []Target{{}}
	}
	r := &run{opts: opts, stages: map[string]report.Stage{}}
	var requests []report.Request
	for _, t := range targets {
		l, request := newLeg(r, t)
		r.legs = append(r.legs, l)
		requests = append(requests, request)
	}
	r.report = report.New(requests...)
	r.report.Spell, r.report.Brief = opts.Spell, opts.Brief
	for i, l := range r.legs {
		l.target = r.report.Targets[i]
	}
	return r
}

// run goes through all stages and sets the verdict of each target.
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

// serial deploys to one target after the other, until one fails.
func (r *run) serial(ctx context.Context, tar *bundle.Bundle) {
	var failed *leg
	for _, l := range r.legs {
		if failed != nil {
			l.finish(ctx, &report.NotStartedError{After: failed.target.Name})
			continue
		}
		l.finish(ctx, l.deploy(ctx, tar))
		r.report.Settle() // fails the target if it misses minions that no later target expects
		if l.target.Verdict != report.Success {
			failed = l
		}
	}
}

// parallel deploys to several targets at once.
func (r *run) parallel(ctx context.Context, tar *bundle.Bundle) {
	room := make(chan struct{}, cmp.Or(r.opts.MaxParallel, len(r.legs)))
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

// unsent returns the error of a stage before the upload. It says that nothing was sent if
// the context ended, because the reason of the context does not.
func unsent(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = &fault.Error{Err: ctxio.Reason(ctx), Outcome: "nothing was sent"}
	}
	return &report.UnsentError{Err: err}
}

// errOthers is the error of a good target if another one has a problem.
var errOthers = errors.New("nothing was sent because another target has a problem")

// prepare does everything that can fail before the upload. It returns the bundle, or the
// problems of each target, which include those of all targets.
func (r *run) prepare(ctx context.Context) (*bundle.Bundle, []error) {
	own := make([]error, len(r.legs))
	for i, l := range r.legs {
		own[i] = l.prepare()
	}
	shared := errlist.Join(slices.Concat(r.opts.Problems, r.checkNames(), r.checkMinions(), r.opts.checkNumbers(), []error{r.checkDigest()})...)
	r.tell(report.Update{Kind: report.Began, Stage: report.Bundling})
	var tar *bundle.Bundle
	var err error
	if r.opts.Fetch == nil || errlist.Join(append(own, shared)...) == nil {
		tar, err = r.bundle(ctx)
	}
	ofTree := []error{err}
	if problems, ok := err.(bundle.Problems); ok { //nolint:errorlint // a wrapped one has its own text
		ofTree = problems.Unwrap()
	}
	warnings := make([][]string, len(r.legs))
	if tar != nil {
		files := preflight.Of(tar)
		r.sls = sync.OnceValue(files.SLS) // a run without results needs none
		for i, l := range r.legs {
			var found []error
			found, warnings[i] = l.checkTop(ctx, files)
			warnings[i] = append(warnings[i], l.sizeLimit(tar)...)
			own[i] = errlist.Join(slices.Concat([]error{own[i]}, found)...)
		}
		if r.opts.Strict {
			strict := preflight.Strict(r.ownWarnings(tar), slices.Concat(warnings...)...)
			shared = errlist.Join(slices.Concat([]error{shared}, strict)...)
		}
	}
	if all := errlist.Join(slices.Concat([]error{shared}, own, ofTree)...); all != nil {
		if tar != nil {
			_ = tar.Close() // the reason is already an error
		}
		r.tell(report.Update{Kind: report.Ended, Stage: report.Bundling, Err: all})
		for i := range own {
			own[i] = cmp.Or(errlist.Join(slices.Concat([]error{shared, own[i]}, ofTree)...), errOthers)
		}
		return nil, own
	}
	for _, w := range r.ownWarnings(tar) {
		r.warn(report.Bundling, w)
	}
	r.warnEach(report.Bundling, warnings)
	commit := strings.Join(strings.Fields(tar.Commit()), " ") // in one line
	for _, l := range r.legs {
		l.target.Bundle = report.Bundle{Origin: r.origin, Commit: commit, Size: tar.Size(), Entries: tar.Len()}
	}
	what := cmp.Or(r.origin, r.opts.File, r.opts.Bundle.Dir, ".")
	text := fmt.Sprintf("%s: %s, %s", what, human.Count(tar.Len(), "entry", "entries"), human.Size(tar.Size()))
	if r.opts.File != "" && commit != "" {
		text += ", commit " + sanitize.Line(commit)
	}
	r.tell(report.Update{Kind: report.Ended, Stage: report.Bundling, Text: text})
	return tar, nil
}

// ownWarnings returns the warnings that concern all targets.
func (r *run) ownWarnings(tar *bundle.Bundle) []bundle.Warning {
	var all []bundle.Warning
	for _, text := range r.opts.Warnings {
		all = append(all, bundle.Warning{Text: text})
	}
	return append(all, tar.Warnings()...)
}

// warnEach tells the warnings of each target. It tells a warning once if all targets have
// it.
func (r *run) warnEach(stage report.Stage, warnings [][]string) {
	for i, l := range r.legs {
		for _, text := range warnings[i] {
			everywhere := !slices.ContainsFunc(warnings, func(of []string) bool { return !slices.Contains(of, text) })
			switch {
			case !everywhere:
				l.warn(stage, text)
			case i == 0:
				r.warn(stage, bundle.Warning{Text: text})
			}
		}
	}
}

// settle sets the verdict of the run, and tells it and the expected minions that are
// missing.
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
func (r *run) list(ctx context.Context, tar *bundle.Bundle) error {
	digest, err := tar.Digest(ctx)
	if err != nil {
		return err
	}
	listed := make([]report.Content, 0, tar.Len())
	for it := range tar.Items() {
		listed = append(listed, listing.Content(it))
	}
	for _, l := range r.legs {
		l.target.Bundle.Digest, l.target.Bundle.Contents = digest, listed
	}
	return nil
}

// checkNames returns an error for each name that several targets share. Reports could not
// say which of them failed.
func (r *run) checkNames() []error {
	var errs []error
	seen := map[string]int{}
	for _, l := range r.legs {
		name := l.target.Name
		if seen[name]++; seen[name] == 2 {
			errs = append(errs, &fault.Error{Err: fmt.Errorf("two targets are called %q", sanitize.Line(name)), Help: "give each a name of its own"})
		}
	}
	return errs
}

// checkMinions returns an error for each expected minion that could never be reached.
func (r *run) checkMinions() (errs []error) {
	for _, id := range r.opts.ExpectMinions {
		errs = append(errs, preflight.CheckMinion("expected minion", id))
	}
	return errs
}

// checkNumbers returns an error for each number that makes no sense. A negative one would lift
// the limit that the caller meant.
func (o *Options) checkNumbers() (errs []error) {
	refuse := func(what, why string, help fault.Hint) {
		errs = append(errs, &fault.Error{What: what, Err: errors.New(why), Help: help})
	}
	if o.MinMinions < 0 || o.MinMinions > client.MaxMinions {
		refuse("least number of minions", fmt.Sprintf("%d is not between 0 and %d", o.MinMinions, client.MaxMinions), "correct {min-minions}")
	}
	if o.MaxParallel < 0 {
		refuse("number of targets at once", fmt.Sprintf("%d is negative", o.MaxParallel), "correct {max-parallel}")
	}
	if o.Timeout < 0 {
		refuse("time for the whole run", fmt.Sprintf("%s is negative", o.Timeout), "correct {timeout}")
	}
	return errs
}

// bundle makes the bundle, or opens the one that was given. For several targets
// it is kept, so that it is neither made nor hashed again.
func (r *run) bundle(ctx context.Context) (*bundle.Bundle, error) {
	if r.opts.Fetch != nil {
		path, origin, err := r.opts.Fetch(ctx, func(done, total int64) {
			r.tell(report.Update{Kind: report.Progressed, Stage: report.Bundling, Sent: done, Total: total})
		})
		if err != nil {
			return nil, err
		}
		r.opts.File, r.origin = path, origin
	}
	tar, err := r.open(ctx)
	if err != nil || len(r.legs) == 1 {
		return tar, err
	}
	if err := tar.Keep(ctx); err != nil {
		_ = tar.Close() // the reason is already an error
		return nil, err
	}
	return tar, nil
}

// checkDigest returns an error if the digest of a bundle that is not made here is malformed.
func (r *run) checkDigest() error {
	if r.opts.Fetch == nil && r.opts.File == "" { // bundle.New checks it
		return nil
	}
	return bundle.CheckDigest(r.opts.Bundle.Digest)
}

// open makes the bundle, or opens the one that was given. Errors name a file that was
// fetched by its origin: the file itself is a temporary one.
func (r *run) open(ctx context.Context) (*bundle.Bundle, error) {
	if r.opts.File == "" {
		return bundle.New(ctx, r.opts.Bundle)
	}
	f, err := bundle.OpenFile(ctx, r.opts.File)
	if problems := (bundle.Problems{}); errors.As(err, &problems) && r.origin != "" {
		for i := range problems {
			if problems[i].Path == r.opts.File {
				problems[i].Path = r.origin
			}
		}
		err = problems
	}
	if err != nil || r.opts.Bundle.Digest == "" || r.checkDigest() != nil {
		return f, err
	}
	if got, err := f.Digest(ctx); err != nil || got != r.opts.Bundle.Digest {
		_ = f.Close() // the reason is already an error
		return nil, cmp.Or(err, fmt.Errorf("%s: %w: it is %s, not %s", cmp.Or(r.origin, r.opts.File), bundle.ErrDigest, got, r.opts.Bundle.Digest))
	}
	return f, nil
}

// tell tells the watcher what happens to a target, or to all.
func (r *run) tell(u report.Update) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if u.Kind == report.Began {
		r.stages[u.Target] = u.Stage
	}
	if u.Kind == report.Ended {
		delete(r.stages, u.Target)
	}
	r.show(u)
}

// beat tells which stages go on.
func (r *run) beat() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.legs) > 1 {
		r.wait("", 0)
	}
	for _, l := range r.legs {
		r.wait(l.label(), l.server.Silence)
	}
}

// wait tells that the stage of a target goes on, and how long the server may be silent.
func (r *run) wait(target string, silence time.Duration) {
	stage, going := r.stages[target]
	if !going {
		return
	}
	if stage != report.Deploying && stage != report.Highstate {
		silence = 0
	}
	r.show(report.Update{Kind: report.Waited, Stage: stage, Target: target, Silence: silence})
}

// show calls the watcher. The caller must hold r.mu.
func (r *run) show(u report.Update) {
	if r.opts.Watch != nil {
		u.Time = time.Now()
		if u.Err != nil {
			u.Text = fault.Line(u.Err, r.opts.Spell)
		}
		r.opts.Watch(u)
	}
}

// warn adds a warning to the report of each target and tells it once.
func (r *run) warn(stage report.Stage, w bundle.Warning) {
	for _, l := range r.legs {
		l.target.Warn(w.String())
	}
	r.tell(report.Update{Kind: report.Warned, Stage: stage, Text: w.String(), Minor: w.Minor})
}

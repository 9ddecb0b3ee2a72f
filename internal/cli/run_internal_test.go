package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// worldOf returns a world as a run has it, with this environment. The buffers are its
// outputs.
func worldOf(env map[string]string) (w World, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	w = World{Getenv: func(name string) string { return env[name] }, Stdout: stdout, Stderr: stderr, warnings: new(warnings)}
	w.known, w.bytes, w.rawStderr, w.turn = new(token.Known), stdout, stderr, new(turnout)
	w.turn.to(stderr)
	return w, stdout, stderr
}

// finished returns the report of a dry run that failed, or of one that succeeded if err is nil.
func finished(err error, requests ...report.Request) *report.Report {
	rep := report.New(append(requests, report.Request{Project: "shop", Deployment: "prod", DryRun: true})...)
	for _, target := range rep.Targets {
		target.Finish(err)
	}
	rep.Finish()
	return rep
}

func written(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPlan: a plan has what flags, environment and files say, and leaves out of the
// bundle what the run itself reads and writes.
func TestPlan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := written(t, filepath.Join(dir, "token"), "a-token-of-a-file\n")
	if err := os.Chmod(secret, 0o604); err != nil {
		t.Fatal(err)
	}
	list := written(t, filepath.Join(dir, "targets.yaml"), "- {name: eu, server: 'https://eu:4510/', token-file: token}\n- {name: us, project: blog, token-variable: US}\n")
	out := filepath.Join(dir, "report.json")
	w, _, _ := worldOf(map[string]string{"US": "a-token-of-the-environment", "SPIRO_URL": "https://salt.example:4510/", "SOURCE_DATE_EPOCH": "7"})
	p, err := w.plan(t.Context(), Settings{
		Project: "shop", Deployment: "prod", Dir: dir, Targets: list, Rollout: serial, MissingMinions: "warn", NarrowToken: new(false),
		Reports: []string{"json=" + out, "text=-"},
	})
	if err != nil {
		t.Fatal(err)
	}
	o := p.options
	if got := errlist.Join(o.Problems...); got == nil || !strings.Contains(got.Error(), `"text"`) || strings.Contains(got.Error(), "problems") {
		t.Errorf("problems %v, and not the report alone", got)
	}
	if !o.Serial || !o.FullToken || o.NoHighstate || o.MissingMinions != report.Warn || o.Bundle.ModTime != time.Unix(7, 0) {
		t.Errorf("options %+v", o)
	}
	for _, path := range []string{out, list, secret} {
		if !slices.Contains(o.Bundle.Omit, path) {
			t.Errorf("the bundle would have %s", path)
		}
	}
	if len(o.Targets) != 2 {
		t.Fatalf("%d targets", len(o.Targets))
	}
	eu, us := o.Targets[0].Server, o.Targets[1].Server
	if eu.Server != "https://eu:4510/" || eu.Token.Reveal() != "a-token-of-a-file" || us.Server != "https://salt.example:4510/" || us.Token.Reveal() != "a-token-of-the-environment" {
		t.Errorf("servers %+v and %+v", eu, us)
	}
	if len(o.Warnings) != 1 || !strings.Contains(o.Warnings[0], "can be read by everybody") {
		t.Errorf("warnings %q", o.Warnings)
	}
}

// TestPlanKeepsInputs: there is no plan that would replace what the run reads.
func TestPlanKeepsInputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	input := written(t, filepath.Join(dir, "last.json"), "{}")
	w, _, _ := worldOf(map[string]string{"SPIRO_TOKEN": "two words"})
	p, err := w.plan(t.Context(), Settings{Project: "shop", Deployment: "prod", Dir: dir, ExpectFrom: input, Reports: []string{"json=" + input}})
	if p != nil || err == nil || !strings.Contains(err.Error(), "the run reads that file") || !strings.Contains(err.Error(), "SPIRO_TOKEN: ") {
		t.Errorf("plan %v and error %v", p, err)
	}
}

// TestViews: the views show a run while it goes on, and its result in every report.
func TestViews(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	live, summary, page := filepath.Join(dir, "live.ndjson"), filepath.Join(dir, "summary.md"), filepath.Join(dir, "report.json")
	w, stdout, stderr := worldOf(map[string]string{"GITHUB_STEP_SUMMARY": summary})
	w.known.AddText("a-token-to-hide")
	p := &plan{reports: []reportFile{{"ndjson", live}, {"json", page}}}
	end := w.open(t.Context(), p)
	if err := errlist.Join(p.options.Problems...); err != nil {
		t.Fatal(err)
	}
	warned := report.Update{Kind: report.Warned, Stage: report.Bundling, Time: time.Now(), Text: "mind the gap"}
	p.options.Watch(warned)
	if got, err := os.ReadFile(live); err != nil || !strings.Contains(string(got), "mind the gap") || !strings.Contains(stderr.String(), "mind the gap") {
		t.Errorf("the live report has %q and %v, the story %q", got, err, stderr)
	}
	told, err := end(t.Context(), finished(errors.New("it said a-token-to-hide")))
	if told || err != nil || stdout.Len() > 0 { // the error alone says what a run without any event came to
		t.Errorf("told %v, error %v, output %q", told, err, stdout)
	}
	for _, path := range []string{page, summary} {
		if got, err := os.ReadFile(path); err != nil || !strings.Contains(string(got), "it said [redacted]") && !strings.Contains(string(got), `it said \[redacted\]`) {
			t.Errorf("%s has %q and %v", path, got, err)
		}
	}
}

// TestViewsFail: a report that cannot be written is a problem before the run, or an error
// after it, and keeps no other one from being written.
func TestViewsFail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := filepath.Join(dir, "good.json")
	w, stdout, _ := worldOf(nil)
	p := &plan{reports: []reportFile{{"ndjson", dir}, {"json", filepath.Join(dir, "none", "x")}, {"json", good}}}
	end := w.open(t.Context(), p)
	if err := errlist.Join(p.options.Problems...); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("problems %v", err)
	}
	if _, err := end(t.Context(), finished(nil)); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(stdout.String(), "shop/prod") {
		t.Errorf("the result is %q", stdout)
	}
	if _, err := os.Stat(good); err != nil {
		t.Error(err)
	}
}

// TestAfterwards: the reports of a limited run have a limit, too, which has not passed when the
// run's has.
func TestAfterwards(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	limited, cancel := (&Settings{Timeout: time.Nanosecond}).limit(ctx)
	defer cancel()
	<-limited.Done()
	after, cancel := afterwards(ctx, limited)
	defer cancel()
	end, ok := after.Deadline()
	if left := time.Until(end); !ok || after.Err() != nil || left < lastReports/2 || left > lastReports {
		t.Errorf("%s are left, error %v", left, after.Err())
	}
	timed, stop := context.WithTimeout(ctx, time.Hour)
	defer stop()
	ended, interrupt := context.WithCancelCause(timed)
	interrupt(report.ErrInterrupted)
	for name, ctx := range map[string]context.Context{"no limit": ctx, "interrupted": ended} {
		if after, _ := afterwards(ctx, ctx); after != ctx {
			t.Errorf("%s: another context", name)
		}
	}
}

// TestStatus: a run's verdict decides its exit status, and a report that was not written
// only that of a run that succeeded.
func TestStatus(t *testing.T) {
	t.Parallel()
	broken, unwritten := errors.New("it broke"), errors.New("the disk is full")
	for name, tt := range map[string]struct {
		run, report error
		told, mage  bool
		targets     []report.Request // more than one
		status      int              // -1: no error
		says, warns string
	}{
		"all well":             {status: -1},
		"unwritten":            {report: unwritten, status: 2, says: ", but the disk is full"},
		"failed":               {run: broken, status: 4, says: "it broke"},
		"failed, unwritten":    {run: broken, report: unwritten, status: 4, says: "it broke", warns: "warning: the disk is full\n"},
		"told":                 {run: broken, told: true, status: 4, says: "it broke"},
		"told by mage":         {run: broken, told: true, mage: true, status: 4, says: "shop/prod: server-failed, see above"},
		"told by mage, of two": {run: broken, told: true, mage: true, targets: []report.Request{{Name: "eu"}}, status: 4, says: "2 targets: server-failed, see above"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, stderr := worldOf(nil)
			rep := finished(nil, tt.targets...)
			if tt.run != nil {
				rep.Verdict, rep.ExitStatus = report.ServerFailed, report.ServerFailed.ExitStatus()
			}
			err := w.status(Settings{Mage: tt.mage}, rep, tt.run, tt.told, tt.report)
			var with *Error
			switch {
			case tt.status == -1:
				if err != nil {
					t.Error(err)
				}
			case !errors.As(err, &with) || with.Status != tt.status || with.Told != tt.told || !strings.HasSuffix(err.Error(), tt.says):
				t.Errorf("error %#v", err)
			}
			if stderr.String() != tt.warns {
				t.Errorf("it warns %q", stderr)
			}
		})
	}
}

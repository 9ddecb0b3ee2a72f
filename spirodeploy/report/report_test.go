package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// TestVerdict: if several verdicts apply, the right one wins.
func TestVerdict(t *testing.T) {
	t.Parallel()
	const (
		bundle  = "event: deploy-bundle\ndata: {\"msg\": \"b\"}\n\n"
		start   = bundle + "event: highstate-start\ndata: {\"msg\": \"s\", \"minions\": [\"a\", \"b\"]}\n\n"
		finish  = "event: highstate-finish\ndata: {\"msg\": \"f\"}\n\n"
		boom    = "event: exception\ndata: {\"msg\": \"boom\\n\"}\n\n"
		nobody  = bundle + "event: highstate-start\ndata: {\"msg\": \"s\", \"minions\": []}\n\n" + finish
		goodRet = `{"ret": {"a_|-b_|-c_|-d": {"result": true}}, "retcode": 0}`
		badRet  = `{"ret": {"a_|-b_|-c_|-d": {"result": false}}}`
	)
	done := func(id, ret string) string {
		return fmt.Sprintf("event: highstate-update\ndata: {\"msg\": \"m\", \"minion\": %q, \"result\": %s}\n\n", id, ret)
	}
	sent, unsent := &client.TransportError{Op: "deploy", Err: errors.New("cut"), BodySent: true}, &client.TransportError{Op: "deploy", Err: errors.New("cut")}
	broken := &client.StreamError{Err: errors.New("reset")}
	timeout := &client.StreamError{Err: report.ErrTimeout}
	status := func(code int, sent bool) error {
		return &client.StatusError{Op: "deploy", StatusCode: code, BodySent: sent}
	}
	for _, tt := range []struct {
		name    string
		stream  string
		err     error
		verdict report.Verdict
	}{
		{"all well", start + done("a", goodRet) + done("b", goodRet) + finish, nil, report.Success},
		{"one failed", start + done("a", goodRet) + done("b", badRet) + finish, nil, report.MinionFailed},
		{"one did not report", start + done("a", goodRet) + finish, nil, report.Unknown},
		{"one failed, one did not report", start + done("a", badRet) + finish, nil, report.Unknown},
		{"one failed, then an exception", start + done("a", badRet) + boom, nil, report.ServerFailed},
		{"exception, then a reset", start + boom, broken, report.ServerFailed},
		{"reported late, unannounced", bundle + done("c", goodRet) + finish, nil, report.Success},
		{"no answer, then a result", start + done("a", `{"failed": true}`) + done("a", goodRet) + done("b", goodRet) + finish, nil, report.Success},
		{"a failure, then a success", start + done("a", badRet) + done("a", goodRet) + done("b", goodRet) + finish, nil, report.MinionFailed},
		{"deadline of a caller", "", context.DeadlineExceeded, report.Unknown},
		{"exception without words", bundle + "event: exception\ndata: {}\n\n", nil, report.ServerFailed},
		{"reset after the end", nobody, broken, report.Success},
		{"no sense after the end", nobody, &client.StreamError{Err: errors.New("no sense"), Malformed: true}, report.Unknown},
		{"a bad result after the end", nobody + done("a", "{"), nil, report.MinionFailed},
		{"a bad result, then a good one", start + done("a", "{") + done("a", goodRet) + done("b", goodRet) + finish, nil, report.MinionFailed},
		{"a good result, then a bad one", start + done("a", goodRet) + done("b", goodRet) + done("a", "{") + finish, nil, report.MinionFailed},
		{"numbers that only Python has", start + done("a", `{"ret": {"a_|-b_|-c_|-d": {"result": true, "changes": {"x": [NaN, -Infinity]}}}, "retcode": 0}`) + done("b", goodRet) + finish, nil, report.Success},
		{"reset before the end", start + done("a", goodRet), broken, report.Unknown},
		{"clean end before the end", start + done("a", badRet), nil, report.Unknown},
		{"nothing at all", "", nil, report.Unknown},
		{"time is up in the highstate", start, timeout, report.Unknown},
		{"time is up before", "", &report.UnsentError{Err: report.ErrTimeout}, report.Unreachable},
		{"interrupted before", "", report.ErrInterrupted, report.Interrupted},
		{"interrupted in the highstate", start, &client.StreamError{Err: report.ErrInterrupted}, report.Interrupted},
		{"context cancelled", "", &client.TransportError{Err: context.Canceled}, report.Interrupted},
		{"no answer to a whole body", "", sent, report.Unknown},
		{"body cut", "", unsent, report.Unreachable},
		{"a file changed", "", &client.BundleError{Err: errors.New("changed")}, report.Invalid},
		{"bad options", "", &report.UnsentError{Err: errors.New("bad")}, report.Invalid},
		{"what nobody knows", "", errors.New("bad"), report.Unknown},
		{"all of a run", "", fmt.Errorf("more: %w", &report.Error{Verdict: report.Refused}), report.Refused},
		{"400", "", status(400, true), report.Refused},
		{"401", "", status(401, false), report.Refused},
		{"403", "", status(403, true), report.Refused},
		{"413", "", status(413, false), report.Refused},
		{"redirect", "", status(307, true), report.Refused},
		{"500", "", status(500, true), report.ServerFailed},
		{"502 before the body", "", status(502, false), report.Unreachable},
		{"504 after the body", "", status(504, true), report.Unknown},
		{"another site", "", &client.AnswerError{Op: "check"}, report.Unreachable},
		{"another site, after the body", "", &client.AnswerError{Op: "deploy", BodySent: true}, report.Unknown},
	} {
		rep := runs.Fold([]byte(tt.stream), true, tt.err)
		if rep.Verdict != tt.verdict {
			t.Errorf("%s: %s (%s), want %s", tt.name, rep.Verdict, rep.Targets[0].Summary, tt.verdict)
		}
	}
	if v := runs.Fold([]byte(bundle), false, nil).Verdict; v != report.Success {
		t.Errorf("without highstate: %s", v)
	}
	if v := runs.Fold(nil, false, nil).Verdict; v != report.Unknown {
		t.Errorf("without highstate, nothing heard: %s", v)
	}
	if v := runs.Fold([]byte(bundle), false, broken).Verdict; v != report.Unknown {
		t.Errorf("without highstate, cut: %s", v)
	}
	rep := runs.Fold([]byte(nobody), true, nil, func(t *report.Target) { t.RequireMinions = true })
	if rep.Verdict != report.MinionFailed || !errors.Is(rep.Err(), report.ErrNoMinions) {
		t.Errorf("no minion, one required: %s, %v", rep.Verdict, rep.Err())
	}
}

// TestNames: the summary names the minions that failed or did not report.
func TestNames(t *testing.T) {
	t.Parallel()
	rep := runs.Fold([]byte("event: deploy-bundle\ndata: {}\n\n"+
		"event: highstate-start\ndata: {\"minions\": [\"web1\", \"db1\", \"db2\\u001b[2J\"]}\n\n"+
		"event: highstate-update\ndata: {\"minion\": \"web1\", \"result\": {\"ret\": [\"bad\"]}}\n\n"+
		"event: highstate-finish\ndata: {}\n\n"), true, nil)
	var text bytes.Buffer
	_ = view.Text(&text, rep, view.TextOptions{})
	const want = `FAILURE: shop/prod: outcome unknown: 1 of 3 minions failed (web1); 2 of 3 minions did not report (db1, db2\x1b[2J)`
	if !strings.Contains(text.String(), want) || !strings.Contains(text.String(), "Minions that did not report: db1, db2") {
		t.Errorf("the summary is\n%s\nwant %q in it", &text, want)
	}
	ids := func(m *report.Minion) string { return m.ID + ":" + string(m.Status) }
	var got []string
	for _, m := range rep.Targets[0].Minions {
		got = append(got, ids(m))
	}
	if !slices.Equal(got, []string{"web1:not-compiled", "db1:unreported", "db2\x1b[2J:unreported"}) || rep.Targets[0].Minions[0].OK() {
		t.Errorf("minions %q", got)
	}
}

// TestJSON reads a report back.
func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	rep := runs.Fold(streams.Read("states-failed"), true, nil)
	if err := rep.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var back report.Report
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	m := back.Targets[0].Minions[0]
	if back.SchemaVersion != report.SchemaVersion || back.ExitStatus != 1 || m.ID != "web1" || m.Status != highstate.Failed || len(m.States) != 5 || m.Counts.Failed != 3 {
		t.Errorf("read back: %+v", m)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 1023: "1023 bytes", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 100 << 20: "100.0 MiB", 1 << 62: "4.0 EiB",
	} {
		if got := human.Size(n); got != want {
			t.Errorf("Size(%d) = %s, want %s", n, got, want)
		}
	}
}

// TestWorst: the worst verdict of the targets is that of the run.
func TestWorst(t *testing.T) {
	t.Parallel()
	of := map[report.Verdict]error{
		report.Interrupted: report.ErrInterrupted, report.ServerFailed: &client.StatusError{StatusCode: 500}, report.Unknown: errors.New("?"),
		report.Unreachable: &client.TransportError{Err: errors.New("no route")}, report.Refused: &client.StatusError{StatusCode: 401},
		report.Invalid: &report.UnsentError{Err: errors.New("bad")}, report.NotStarted: &report.NotStartedError{},
	}
	order := []report.Verdict{
		report.Interrupted, report.ServerFailed, report.Unknown, report.Unreachable, report.Refused, report.Invalid, report.NotStarted,
	}
	for i, bad := range order {
		for _, better := range order[i:] {
			for _, pair := range [][2]report.Verdict{{bad, better}, {better, bad}} {
				rep := report.New(report.Request{Name: "a"}, report.Request{Name: "b"})
				for n, v := range pair {
					rep.Targets[n].Finish(of[v])
				}
				rep.Finish()
				if rep.Verdict != bad || report.Classify(rep.Err()) != bad || report.Classify(fmt.Errorf("deploy: %w", rep.Err())) != bad {
					t.Errorf("%v: %s, and its error is classified as %s", pair, rep.Verdict, report.Classify(rep.Err()))
				}
			}
		}
	}
}

// TestOddIDs: minions whose ids differ only in what is no valid UTF-8 stay apart, in every
// view: Python writes such bytes as lone surrogates.
func TestOddIDs(t *testing.T) {
	t.Parallel()
	ids := []string{`"web\udcff"`, `"web\udcfe"`, "\"web\xff\"", "\"web\xfe\"", `"web\ufffd"`}
	stream := "event: deploy-bundle\ndata: {}\n\nevent: highstate-start\ndata: {\"minions\": [" + strings.Join(ids, ", ") + "]}\n\n"
	for i, id := range ids {
		stream += fmt.Sprintf("event: highstate-update\ndata: {\"minion\": %s, \"result\": {\"ret\": {\"a_|-b_|-c_|-d\": {\"result\": %t}}}}\n\n", id, i > 0)
	}
	rep := runs.Fold([]byte(stream+"event: highstate-finish\ndata: {}\n\n"), true, nil)
	if n := len(rep.Targets[0].Minions); n != len(ids) || rep.Verdict != report.MinionFailed || !strings.Contains(rep.Targets[0].Summary, `1 of 5 minions failed (web\udcff)`) {
		t.Errorf("%d minions, %s: %s", n, rep.Verdict, rep.Targets[0].Summary)
	}
	seen := map[string]bool{}
	again, err := report.Read(strings.NewReader(runs.Show(t, rep, "json")))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range again.Targets[0].Minions {
		seen[m.ID] = true
	}
	if len(seen) != len(ids) {
		t.Errorf("in JSON they are %v", seen)
	}
}

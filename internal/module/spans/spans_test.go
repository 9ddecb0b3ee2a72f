package spans_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/spirostack/spirodeploy/internal/module/spans"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// record returns the spans of updates in the order in which they end, as
// "PARENT > NAME: STATUS DESCRIPTION".
func record(t *testing.T, updates ...report.Update) []string {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	tracer := trace.NewTracerProvider(trace.WithSpanProcessor(recorder)).Tracer("test")
	ctx, top := tracer.Start(context.Background(), "top")
	watch := spans.New(ctx, tracer, strings.NewReplacer("sesame", "[redacted]").Replace)
	at := time.Unix(1_000_000_000, 0)
	for _, u := range updates {
		at = at.Add(time.Second)
		u.Time = at
		watch(u)
	}
	if started, ended := recorder.Started(), recorder.Ended(); len(started) != len(ended)+1 {
		t.Errorf("%d spans began, %d ended", len(started)-1, len(ended))
	}
	top.End()
	names := map[string]string{}
	for _, s := range recorder.Started() {
		names[s.SpanContext().SpanID().String()] = s.Name()
	}
	var lines []string
	for _, s := range recorder.Ended() {
		if s.Name() == "top" {
			continue
		}
		if s.EndTime().After(at) {
			t.Errorf("%s has a time of its own", s.Name())
		}
		status := s.Status()
		line := names[s.Parent().SpanID().String()] + " > " + s.Name() + ": " + strings.TrimSpace(status.Code.String()+" "+status.Description)
		for _, e := range s.Events() {
			line += " [" + e.Name + ": " + e.Attributes[0].Value.AsString() + "]"
		}
		lines = append(lines, line)
	}
	return lines
}

func began(s report.Stage) report.Update { return report.Update{Kind: report.Began, Stage: s} }

func ended(s report.Stage, err error) report.Update {
	return report.Update{Kind: report.Ended, Stage: s, Err: err}
}

// highstate folds events into a report, as a run does, and returns the updates.
func highstate(events ...client.Event) []report.Update {
	target := report.New(report.Request{Highstate: true}).Targets[0]
	var updates []report.Update
	for _, e := range events {
		minion, err := target.Add(e)
		if err != nil {
			panic(err) // a mistake in the test
		}
		updates = append(updates, report.Update{Kind: report.Happened, Stage: report.Highstate, Event: e, Minion: minion})
	}
	return updates
}

func start(minions ...string) client.Event {
	return client.Event{Name: client.HighstateStart, Minions: minions}
}

func result(minion string, ok bool) client.Event {
	raw := map[bool]string{
		true:  `{"ret": {"a": {"result": true, "changes": {}, "comment": "", "name": "a"}}, "retcode": 0}`,
		false: `{"ret": {"a": {"result": false, "changes": {}, "comment": "", "name": "a"}}, "retcode": 2}`,
	}[ok]
	return client.Event{Name: client.HighstateUpdate, Minion: minion, Result: json.RawMessage(raw)}
}

func check(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("spans\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestStages(t *testing.T) {
	t.Parallel()
	check(t, record(t,
		began(report.Bundling),
		report.Update{Kind: report.Warned, Stage: report.Bundling, Text: "look\x1b"},
		ended(report.Bundling, nil),
		began(report.Uploading),
		report.Update{Kind: report.Progressed, Stage: report.Uploading},
		ended(report.Uploading, errors.New("refused\x1b")),
	),
		`top > bundle: Ok [warning: look\x1b]`,
		`top > upload: Error refused\x1b`,
	)
}

func TestRedacts(t *testing.T) {
	t.Parallel()
	updates := append([]report.Update{
		began(report.Highstate),
		{Kind: report.Warned, Stage: report.Highstate, Text: "sesame is open"},
	}, highstate(start("sesame"))...)
	check(t, record(t, append(updates, ended(report.Highstate, errors.New("no sesame")))...),
		"highstate > minion [redacted]: Error did not report",
		"top > highstate: Error no [redacted] [warning: [redacted] is open]",
	)
}

func TestMinions(t *testing.T) {
	t.Parallel()
	updates := append([]report.Update{began(report.Highstate)},
		highstate(start("web1", "web2"), result("web2", true), result("web1", true), result("late", true))...)
	check(t, record(t, append(updates, ended(report.Highstate, nil))...),
		"highstate > minion web2: Ok",
		"highstate > minion web1: Ok",
		"highstate > minion late: Ok",
		"top > highstate: Ok",
	)
}

func TestFailedMinions(t *testing.T) {
	t.Parallel()
	updates := append([]report.Update{began(report.Highstate)},
		highstate(start("web1", "silent"), result("web1", false))...)
	check(t, record(t, append(updates, ended(report.Highstate, nil))...),
		"highstate > minion web1: Error failed",
		"highstate > minion silent: Error did not report",
		"top > highstate: Error 1 failed, 1 did not report",
	)
}

// TestOutsideOfStages checks that updates outside of stages do not crash.
func TestOutsideOfStages(t *testing.T) {
	t.Parallel()
	updates := highstate(start("web1"), result("web1", true))
	updates = append(updates, ended(report.Highstate, nil), report.Update{Kind: report.Warned, Text: "x"})
	check(t, record(t, updates...))
}

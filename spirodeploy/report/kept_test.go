package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// flood adds an event n times.
func flood(t *testing.T, target *report.Target, e client.Event, n int) {
	t.Helper()
	for range n {
		if _, err := target.Add(e); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFlood: a report keeps some of very many events and counts the others, which do not
// change the verdict.
func TestFlood(t *testing.T) {
	t.Parallel()
	rep := report.New(report.Request{Project: "shop", Deployment: "prod", Highstate: true})
	target := rep.Targets[0]
	flood(t, target, client.Event{Name: "news", Data: "x"}, 15_000)
	flood(t, target, client.Event{Name: client.DeployBundle}, 3)
	traceback := "Traceback\n" + strings.Repeat("x", 1<<20) + "\nOSError: disk full\n"
	flood(t, target, client.Event{Name: client.Exception, Msg: traceback}, 2)
	target.Finish(nil)
	rep.Finish()
	if rep.Verdict != report.ServerFailed || !strings.Contains(target.Error, "Traceback") || !strings.Contains(target.Error, "OSError: disk full") || len(target.Error) > 70_000 {
		t.Errorf("verdict %s, the error has %d bytes", rep.Verdict, len(target.Error))
	}
	if n := len(target.Events); n != 10_002 {
		t.Errorf("%d events are kept", n)
	}
	const want = "the server sent more events than the report keeps: 5,003 of them are left out"
	if len(target.Warnings) != 1 || target.Warnings[0] != want {
		t.Errorf("warnings %q, want %q", target.Warnings, want)
	}
}

// TestFloodOfText: a report keeps few large events.
func TestFloodOfText(t *testing.T) {
	t.Parallel()
	target := report.New(report.Request{}).Targets[0]
	large := strings.Repeat("x", 1<<20)
	flood(t, target, client.Event{Name: large, Data: large, Msg: large}, 1000)
	size := 0
	for _, e := range target.Events {
		size += len(e.Name) + len(e.Msg) + len(e.Data)
	}
	if size > 16<<20 || size < 8<<20 {
		t.Errorf("%d bytes are kept", size)
	}
}

// TestMinions: a report takes as many minions as a master can have, and no more.
func TestMinions(t *testing.T) {
	t.Parallel()
	target := report.New(report.Request{Highstate: true}).Targets[0]
	for i := range client.MaxMinions {
		e := client.Event{Name: client.HighstateUpdate, Minion: fmt.Sprint("m", i), Result: json.RawMessage(`{"ret": ["x"]}`)}
		if m, err := target.Add(e); err != nil || m == nil {
			t.Fatal(err)
		}
	}
	flood(t, target, client.Event{Name: client.HighstateStart, Minions: []string{"m1", "m2"}}, 1)
	for _, e := range []client.Event{{Name: client.HighstateUpdate, Minion: "more"}, {Name: client.HighstateStart, Minions: []string{"m1", "more"}}} {
		if _, err := target.Add(e); !errors.Is(err, client.ErrMinions) || report.Classify(err) != report.Unknown {
			t.Errorf("%s of one minion more: %v", e.Name, err)
		}
	}
	target.Finish(nil)
	if len(target.Warnings) != 0 || len(target.Minions) != client.MaxMinions {
		t.Errorf("%d minions, warnings %q", len(target.Minions), target.Warnings)
	}
	if !strings.Contains(target.Summary, "and 99,980 more") || len(target.Summary) > 2000 {
		t.Errorf("the summary is %.100s…", target.Summary)
	}
}

// TestJSONForScreens: a JSON report does nothing to a terminal.
func TestJSONForScreens(t *testing.T) {
	t.Parallel()
	const evil = "\x1b\x7f\u009b\u202e\u2028\u200b\U000e0041ä\u200d"
	rep := report.New(report.Request{Server: evil, Highstate: true})
	result, err := json.Marshal(map[string]any{"ret": map[string]any{"a": map[string]any{"changes": map[string]any{evil: evil}}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rep.Targets[0].Add(client.Event{Name: client.HighstateUpdate, Minion: evil, Result: result}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := rep.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	const escaped = `\u001b\u007f\u009b\u202e\u2028\u200b\udb40\udc41ä` + "\u200d"
	if n := strings.Count(b.String(), escaped); n < 4 {
		t.Errorf("%d times %s in\n%s", n, escaped, b.Bytes())
	}
	var back report.Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back.Targets[0].Minions[0].ID != evil {
		t.Errorf("read back: %v", err)
	}
}

package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// TestRead: every view of a report stays the same after writing and reading it.
func TestRead(t *testing.T) {
	t.Parallel()
	for _, name := range streams.All {
		rep := runs.Fold(streams.Read(name), name != "no-highstate", nil)
		sameViews(t, name, rep)
	}
	sameViews(t, "no minions", runs.Fold(nil, true, nil, func(t *report.Target) { t.RequireMinions, t.Warnings = true, []string{"careful"} }))
	sameViews(t, "dry run", runs.Fold(nil, true, nil, func(t *report.Target) {
		t.DryRun = true
		t.Bundle.Contents = []report.Content{{Name: "a", Size: 3, Executable: true}, {Name: "b", Link: "a"}}
	}))
}

// TestReadLarge: large results go to a file again, and none is lost.
func TestReadLarge(t *testing.T) {
	t.Parallel()
	// Sizes on both sides of the one up to which a result is indented.
	for _, size := range []int{1 << 20, 1<<20 + 8<<10} {
		rep := runs.Many(t, 12, size)
		defer rep.Close()
		back := sameViews(t, "large", rep)
		inMemory := 0
		for _, m := range back.Targets[0].Minions {
			if len(m.States) > 0 {
				inMemory++
			}
		}
		if inMemory == 0 || inMemory > 9 {
			t.Errorf("%d of 12 large results are in memory", inMemory)
		}
	}
}

// onlyWall takes the monotonic clock out of the times of a report. JSON has only the wall clock,
// which somebody may set during a test.
func onlyWall(rep *report.Report) {
	times := []*time.Time{&rep.Started, &rep.Finished}
	for _, target := range rep.Targets {
		times = append(times, &target.Started, &target.Finished)
		for i := range target.Events {
			times = append(times, &target.Events[i].Time)
		}
		for _, m := range target.Minions {
			if m.Reported != nil {
				times = append(times, m.Reported)
			}
		}
	}
	for _, at := range times {
		*at = at.Round(0)
	}
}

func sameViews(t *testing.T, name string, rep *report.Report) *report.Report {
	t.Helper()
	onlyWall(rep)
	back, err := report.Read(strings.NewReader(runs.Show(t, rep, "json")))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() { _ = back.Close() })
	for format := range runs.Writers {
		if got, want := runs.Show(t, back, format), runs.Show(t, rep, format); got != want {
			at := 0
			for at < min(len(got), len(want)) && got[at] == want[at] {
				at++
			}
			t.Errorf("%s: the %s differs at byte %d:\n%.300s\nwant\n%.300s", name, format, at, got[max(0, at-100):], want[max(0, at-100):])
		}
	}
	if got, want := fmt.Sprint(back.Err()), fmt.Sprint(rep.Err()); got != want {
		t.Errorf("%s: its error is %s, want %s", name, got, want)
	}
	return back
}

// TestReadDurations: durations do not drift if a report is written again and again.
func TestReadDurations(t *testing.T) {
	t.Parallel()
	var states []string
	for i := range 2000 {
		states = append(states, fmt.Sprintf(`"a_|-s%d_|-n_|-f": {"result": true, "duration": %d.%03d}`, i, i, i%1000))
	}
	rep := report.New(report.Request{Project: "shop", Deployment: "prod", Highstate: true})
	raw := json.RawMessage(`{"ret": {` + strings.Join(states, ", ") + `}}`)
	runs.Add(t, rep.Targets[0], client.Event{Name: client.HighstateUpdate, Minion: "web1", Result: raw})
	rep.Targets[0].Finish(nil)
	rep.Finish()
	sameViews(t, "durations", rep)
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                    "unexpected EOF",
		"[]":                                  "this is no report",
		"{}":                                  "it has no schemaVersion",
		`{"schemaVersion": 2}`:                "it has schemaVersion 2, and this program knows 1: read it with a newer spirodeploy",
		`{"schemaVersion": "1"}`:              "cannot unmarshal string",
		`{"schemaVersion": 1, "targets": {}}`: "this is no report",
		`{"schemaVersion": 1, "targets": [{"minions": [{"id"`:   "unexpected EOF",
		`{"schemaVersion": 1, "targets": [{"minions": [[]]}]}`:  "cannot unmarshal array",
		`{"schemaVersion": 1, "targets": [{"exitStatus": ""}]}`: "cannot unmarshal string",
		`{"schemaVersion": 1, "targets": null}`:                 "it has null at byte 36 where [ should be",
		`{"schemaVersion": 1, "targets": [{"minions": [{}]}]}`:  "a minion has no id",
		`{"SchemaVersion": 1, "targets": []}`:                   "it has no schemaVersion",
		"{\"schemaVersion\": 1}\n{\"type\": \"end\"}\n":         "there is more after the report",
		`{"schemaVersion": 1} x`:                                "there is more after the report",
	} {
		if _, err := report.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for _, text := range []string{
		`{"schemaVersion": 1, "later": {}, "targets": []}`, "\ufeff{\"schemaVersion\": 1}\r\n",
		// Names that differ only in case are other names.
		`{"schemaVersion": 1, "SchemaVersion": 2, "Targets": [null], "target\u017f": [null]}`,
		`{"schemaVersion": 1, "targets": [{"Minions": [null], "minions": []}]}`,
	} {
		rep, err := report.Read(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for format := range runs.Writers {
			runs.Show(t, rep, format)
		}
		if rep.SchemaVersion != report.SchemaVersion {
			t.Errorf("%s: version %d", text, rep.SchemaVersion)
		}
	}
}

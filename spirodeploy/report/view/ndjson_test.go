package view_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// follow plays a recorded stream to a watcher, and returns its report.
func follow(t *testing.T, stream string, watch report.Watcher) *report.Report {
	t.Helper()
	rep := report.New(report.Request{Project: "shop", Deployment: "prod", Server: "https://salt:4510/", Highstate: true})
	now := time.Duration(0)
	say := func(u report.Update) {
		now += time.Second
		u.Time = at(now)
		watch(u)
	}
	say(report.Update{Kind: report.Began, Stage: report.Bundling})
	say(report.Update{Kind: report.Warned, Stage: report.Bundling, Text: "two names differ only in case"})
	say(report.Update{Kind: report.Ended, Stage: report.Bundling, Text: ".: 3 entries"})
	say(report.Update{Kind: report.Began, Stage: report.Uploading})
	now += 500 * time.Millisecond
	for i := range int64(9) {
		now -= 900 * time.Millisecond
		say(report.Update{Kind: report.Progressed, Stage: report.Uploading, Sent: i << 20, Total: 8 << 20})
	}
	say(report.Update{Kind: report.Waited, Stage: report.Uploading})
	for event := range client.ReadEvents(bytes.NewReader(streams.Read(stream))) {
		event.Time = at(now)
		minion, err := rep.Targets[0].Add(event)
		if err != nil {
			t.Fatal(err)
		}
		say(report.Update{Kind: report.Happened, Stage: report.Highstate, Event: event, Minion: minion})
	}
	say(report.Update{Kind: report.Happened, Stage: report.Highstate, Event: client.Event{Name: "later\x1b[2J", Data: `{"a": 1}`}})
	say(report.Update{Kind: report.Ended, Stage: report.Highstate, Err: errors.New("cut")})
	rep.Targets[0].Finish(nil)
	rep.Finish()
	rep.Finished = at(now)
	say(report.Update{Kind: report.Finished, Report: rep})
	return rep
}

// TestNDJSON: each line is written with its update, and a minion has the members of the
// JSON report.
func TestNDJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	n := view.NDJSON(&out)
	rep := follow(t, "states-failed", func(u report.Update) {
		n(u)
		if b := out.Bytes(); len(b) == 0 || b[len(b)-1] != '\n' {
			t.Errorf("after %+v, the last line is not whole", u)
		}
	})
	pinned(t, "states-failed.ndjson", out.Bytes())

	var all bytes.Buffer
	if err := rep.WriteJSON(&all); err != nil {
		t.Fatal(err)
	}
	var want struct {
		Targets []struct{ Minions []any }
	}
	if err := json.Unmarshal(all.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	var got []any
	types := map[string]int{}
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var line struct {
			Type    string
			Minion  any
			Verdict report.Verdict
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		types[line.Type]++
		if line.Minion != nil {
			got = append(got, line.Minion)
		}
		if line.Type == "verdict" && line.Verdict != report.MinionFailed {
			t.Errorf("verdict %s", line.Verdict)
		}
	}
	if !reflect.DeepEqual(got, want.Targets[0].Minions) {
		t.Errorf("minions\n got %v\nwant %v", got, want.Targets[0].Minions)
	}
	if types["begin"] != 1 || types["verdict"] != 1 || types["progress"] != 2 || types["minion"] != 1 {
		t.Errorf("lines by type: %v", types)
	}
}

// brokenWriter takes some bytes and no more.
type brokenWriter int

func (w *brokenWriter) Write(p []byte) (int, error) {
	if *w -= brokenWriter(len(p)); *w < 0 {
		return 0, errors.New("full")
	}
	return len(p), nil
}

func TestNDJSONNotWritten(t *testing.T) {
	t.Parallel()
	room := brokenWriter(1000)
	follow(t, "ok", view.NDJSON(&room))
	if room >= 0 || room < -1000 {
		t.Errorf("%d bytes were written after the error", -room)
	}
}

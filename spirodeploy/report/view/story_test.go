package view_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// TestStory: each step is a line, and nothing in it acts on a terminal.
func TestStory(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]view.StoryOptions{
		"story.txt": {}, "story-live.txt": {Live: true, Color: true}, "story-quiet.txt": {Quiet: true},
	} {
		var out bytes.Buffer
		tell := view.Story(&out, o)
		now := time.Duration(0)
		say := func(u report.Update) {
			now += time.Second
			u.Time = at(now)
			tell(u)
		}
		say(report.Update{Kind: report.Began, Stage: report.Bundling})
		say(report.Update{Kind: report.Warned, Stage: report.Bundling, Text: "odd\nthing"})
		say(report.Update{Kind: report.Ended, Stage: report.Bundling, Text: ".: 3 entries"})
		say(report.Update{Kind: report.Progressed, Stage: report.Uploading, Sent: 1, Total: 2})
		say(report.Update{Kind: report.Ended, Stage: report.Uploading, Err: errors.New("told at the end")})
		for _, name := range []string{"ok", "states-failed", "minion-not-responding", "render-failed", "exception"} {
			rep := report.New(report.Request{Project: "shop", Deployment: "prod", Highstate: true})
			for event := range client.ReadEvents(bytes.NewReader(streams.Read(name))) {
				minion, _ := rep.Targets[0].Add(event)
				say(report.Update{Kind: report.Happened, Stage: report.Highstate, Event: event, Minion: minion})
			}
		}
		say(report.Update{Kind: report.Happened, Stage: report.Highstate, Event: client.Event{Name: "later\x1b[2J", Data: "{}"}})
		pinned(t, name, out.Bytes())
	}
}

// TestStorySilence: a line about awaited minions says how long the server may be silent.
func TestStorySilence(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tell := view.Story(&out, view.StoryOptions{})
	tell(report.Update{Kind: report.Began, Stage: report.Highstate, Time: at(0)})
	tell(report.Update{Kind: report.Waited, Stage: report.Highstate, Time: at(time.Minute), Silence: 15 * time.Minute})
	if want := "the run ends if nothing comes for 15 min 0 s\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("the story is %q, want %q at its end", out.String(), want)
	}
}

// TestStoryWaits: a story says which minions are awaited and since when, about every half
// minute.
func TestStoryWaits(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tell := view.Story(&out, view.StoryOptions{})
	begin := func(stage report.Stage, seconds int) {
		tell(report.Update{Kind: report.Began, Stage: stage, Time: at(time.Duration(seconds) * time.Second)})
	}
	wait := func(stage report.Stage, from, to int) {
		for s := from; s <= to; s += 10 {
			tell(report.Update{Kind: report.Waited, Stage: stage, Time: at(time.Duration(s) * time.Second)})
		}
	}
	happen := func(seconds int, e client.Event, m *report.Minion) {
		tell(report.Update{Kind: report.Happened, Stage: report.Highstate, Time: at(time.Duration(seconds) * time.Second), Event: e, Minion: m})
	}
	begin(report.Bundling, 0)
	wait(report.Bundling, 10, 40)
	begin(report.Checking, 45)
	wait(report.Checking, 55, 85)
	begin(report.Uploading, 100)
	for s := 1; s <= 60; s++ {
		sent := min(int64(s), 40) << 20
		tell(report.Update{Kind: report.Progressed, Stage: report.Uploading, Time: at(time.Duration(100+s) * time.Second), Sent: sent, Total: 50 << 20})
	}
	wait(report.Uploading, 170, 190)
	tell(report.Update{Kind: report.Progressed, Stage: report.Uploading, Time: at(200 * time.Second), Sent: 50 << 20, Total: 50 << 20})
	wait(report.Uploading, 210, 240)
	begin(report.Deploying, 240)
	wait(report.Deploying, 250, 280)
	begin(report.Highstate, 280)
	wait(report.Highstate, 290, 310)
	var ids []string
	for i := range 8 {
		ids = append(ids, fmt.Sprintf("web%d", i))
	}
	happen(311, client.Event{Name: client.HighstateStart, Minions: ids}, nil)
	wait(report.Highstate, 320, 340)
	for _, id := range []string{"web0", "web2", "web1", "web7"} {
		happen(341, client.Event{Name: client.HighstateUpdate, Minion: id}, &report.Minion{ID: id})
	}
	wait(report.Highstate, 350, 460)
	wait(report.Highstate, 4000, 4000)
	pinned(t, "story-waits.txt", out.Bytes())

	last := at(0)
	for line := range strings.Lines(out.String()) {
		clock, err := time.Parse(time.TimeOnly, line[:8])
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 11, 23, clock.Hour(), clock.Minute(), clock.Second(), 0, time.UTC)
		if silent := now.Sub(last); silent > 40*time.Second && now.Before(at(500*time.Second)) {
			t.Errorf("%s of silence before %s", silent, line)
		}
		last = now
	}
}

// TestStoryEnds: a story ends if the server sends too many events.
func TestStoryEnds(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tell := view.Story(&out, view.StoryOptions{})
	const told = 2 * client.MaxMinions
	for range told + 10 {
		tell(report.Update{Kind: report.Happened, Stage: report.Deploying, Time: at(0), Event: client.Event{Name: "x", Msg: "y"}})
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != told || !strings.HasSuffix(lines[told-1], "warning: the server sends more events than are shown") || strings.Contains(lines[told-2], "warning") {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

// TestStoryUnreported: a story ends with the minions that never reported, of each target.
func TestStoryUnreported(t *testing.T) {
	t.Parallel()
	start := client.Event{Name: client.HighstateStart, Minions: []string{"web1", "web2\x1b[2J", "db1"}}
	done := client.Event{Name: client.HighstateUpdate, Minion: "web1"}
	for name, test := range map[string]struct {
		names   []string
		ends    []client.Event
		options view.StoryOptions
		want    string
	}{
		"one target":        {[]string{""}, nil, view.StoryOptions{}, "12:00:00 highstate 2 of 3 minions did not report: web2\\x1b[2J, db1\n"},
		"two":               {[]string{"eu", "us"}, nil, view.StoryOptions{Live: true}, "[eu] highstate 2 of 3 minions did not report: web2\\x1b[2J, db1\n[us] highstate 2 of 3 minions did not report: web2\\x1b[2J, db1\n"},
		"a quiet one":       {[]string{""}, nil, view.StoryOptions{Quiet: true}, ""},
		"the server failed": {[]string{""}, []client.Event{{Name: client.Exception, Msg: "no"}}, view.StoryOptions{}, ""},
	} {
		var requests []report.Request
		for _, name := range test.names {
			requests = append(requests, report.Request{Name: name, Project: "shop", Deployment: "prod", Highstate: true})
		}
		rep := report.New(requests...)
		for _, target := range rep.Targets {
			for _, event := range append([]client.Event{{Name: client.DeployBundle}, start, done}, test.ends...) {
				if _, err := target.Add(event); err != nil {
					t.Fatal(err)
				}
			}
			target.Finish(nil)
		}
		rep.Finish()
		var out bytes.Buffer
		view.Story(&out, test.options)(report.Update{Kind: report.Finished, Time: at(0), Report: rep})
		if out.String() != test.want {
			t.Errorf("%s: the story is %q, want %q", name, out.String(), test.want)
		}
	}
}

// at returns a time of a run that began at noon.
func at(after time.Duration) time.Time {
	return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(after)
}

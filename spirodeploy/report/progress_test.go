package report_test

import (
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// at returns a time of a run that began at noon.
func at(after time.Duration) time.Time {
	return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(after)
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var p report.Progress
	if ids, all, _ := p.Awaited(3); ids != nil || all != 0 || p.Rate(at(0)) != 0 || p.Remaining(at(0)) != 0 {
		t.Errorf("before anything: %v, %d", ids, all)
	}
	if got, want := p.Transfer(time.Time{}), "0 bytes of 0 bytes (0 %), 0 bytes/s, 0 s left"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	p.Watch(report.Update{Kind: report.Began, Stage: report.Uploading, Time: at(0)})
	p.Watch(report.Update{Kind: report.Progressed, Stage: report.Uploading, Time: at(10 * time.Second), Sent: 100, Total: 400})
	if rate, left := p.Rate(at(10*time.Second)), p.Remaining(at(10*time.Second)); rate != 10 || left != 30*time.Second {
		t.Errorf("100 of 400 bytes in 10 s: %v a second, %v left", rate, left)
	}
	start := client.Event{Name: client.HighstateStart, Minions: []string{"a", "b", "a", "c"}}
	p.Watch(report.Update{Kind: report.Began, Stage: report.Highstate, Time: at(0)})
	p.Watch(report.Update{Kind: report.Happened, Stage: report.Highstate, Event: start})
	p.Watch(report.Update{Kind: report.Happened, Stage: report.Highstate, Minion: &report.Minion{ID: "a"}})
	p.Watch(report.Update{Kind: report.Happened, Stage: report.Highstate, Minion: &report.Minion{ID: "stranger"}})
	if ids, left, all := p.Awaited(1); len(ids) != 1 || ids[0] != "b" || left != 2 || all != 3 {
		t.Errorf("b and c are awaited: %v, %d", ids, all)
	}
	p.Watch(report.Update{Kind: report.Happened, Stage: report.Highstate, Event: client.Event{Name: client.HighstateFinish}})
	if ids, all, _ := p.Awaited(9); len(ids) != 0 || all != 0 {
		t.Errorf("after the end: %v, %d", ids, all)
	}
}

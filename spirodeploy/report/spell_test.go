package report_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

const begun = "event: deploy-bundle\ndata: {\"msg\": \"b\"}\n\nevent: highstate-start\ndata: {\"msg\": \"s\", \"minions\": [\"web1\"]}\n\n"

// TestSpell: a report spells options as its front end does, its error as Go code does,
// and a terminal gets each part on a line of its own.
func TestSpell(t *testing.T) {
	t.Parallel()
	timeout := fmt.Errorf("check token: %w", report.ErrTimeout)
	for name, tt := range map[string]struct {
		stream              string
		err                 error
		summary, long, err2 string
	}{
		"timeout": {
			"", &report.UnsentError{Err: timeout},
			"shop/prod: check token: the time for the whole run is up: allow more with --timeout",
			"shop/prod: check token: the time for the whole run is up\n  allow more with --timeout",
			"shop/prod: check token: the time for the whole run is up: allow more with Options.Timeout",
		},
		"interrupted in the highstate": {
			begun, &client.StreamError{Err: report.ErrInterrupted},
			"shop/prod: interrupted; the deployment may be going on; 1 of 1 minion did not report (web1); on the master, salt-run jobs.active shows whether the highstate is going on",
			"shop/prod: interrupted\n  the deployment may be going on\n  1 of 1 minion did not report (web1)\n  on the master, salt-run jobs.active shows whether the highstate is going on",
			"shop/prod: interrupted; the deployment may be going on; 1 of 1 minion did not report (web1); on the master, salt-run jobs.active shows whether the highstate is going on",
		},
		"cut": {
			begun, nil,
			"shop/prod: outcome unknown: the server ended the stream of events too early; the deployment may be going on; 1 of 1 minion did not report (web1); on the master, salt-run jobs.active shows whether the highstate is going on",
			"shop/prod: outcome unknown: the server ended the stream of events too early\n  the deployment may be going on\n  1 of 1 minion did not report (web1)\n  on the master, salt-run jobs.active shows whether the highstate is going on",
			"shop/prod: outcome unknown: the server ended the stream of events too early; the deployment may be going on; 1 of 1 minion did not report (web1); on the master, salt-run jobs.active shows whether the highstate is going on",
		},
	} {
		rep := runs.Fold([]byte(tt.stream), true, tt.err)
		target := rep.Targets[0]
		if target.Summary != tt.summary || target.Long() != tt.long || rep.Err().Error() != tt.err2 {
			t.Errorf("%s:\n%s\n%s\n%v\nwant\n%s\n%s\n%s", name, target.Summary, target.Long(), rep.Err(), tt.summary, tt.long, tt.err2)
		}
		if got := fault.Line(rep.Err(), runs.Flags); got != tt.summary {
			t.Errorf("%s: the error is spelled %s", name, got)
		}
		if tt.err != nil && !errors.Is(rep.Err(), tt.err) {
			t.Errorf("%s: the error does not contain its cause", name)
		}
	}
}

// TestFailure: an update says why a stage failed.
func TestFailure(t *testing.T) {
	t.Parallel()
	for want, u := range map[string]report.Update{
		"": {Text: "all is well"}, "spelled": {Text: "spelled", Err: errors.New("x")}, "x": {Err: errors.New("x")},
	} {
		if got := u.Failure(); got != want {
			t.Errorf("Failure returns %q, want %q", got, want)
		}
	}
}

// TestMarshal: package json writes a report as WriteJSON does, with the results that are
// in the file.
func TestMarshal(t *testing.T) {
	t.Parallel()
	large := runs.Many(t, 12, 1<<20)
	defer large.Close()
	for _, rep := range []*report.Report{runs.Fold(streams.Read("states-failed"), true, nil), large} {
		b, err := json.Marshal(rep)
		if err != nil {
			t.Fatal(err)
		}
		back, err := report.Read(strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		defer back.Close()
		for i, m := range rep.Targets[0].Minions {
			want, err := m.Details()
			got, backErr := back.Targets[0].Minions[i].Details()
			if err := errors.Join(err, backErr); err != nil || len(got.States) != len(want.States) || len(got.States) == 0 {
				t.Errorf("%s: %d states, want %d, %v", m.ID, len(got.States), len(want.States), err)
			}
		}
	}
}

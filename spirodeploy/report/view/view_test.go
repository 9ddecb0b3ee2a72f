package view_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// everyView are the views of a finished report.
var everyView = map[string]func(io.Writer, *report.Report) error{
	"text": func(w io.Writer, r *report.Report) error { return view.Text(w, r, view.TextOptions{}) },
	"github": func(w io.Writer, r *report.Report) error {
		return view.Text(w, r, view.TextOptions{Log: view.GitHub})
	},
	"json":     view.JSON,
	"junit":    view.JUnit,
	"html":     view.HTML,
	"markdown": view.Markdown,
	"ndjson": func(w io.Writer, r *report.Report) error {
		view.NDJSON(w)(report.Update{Kind: report.Finished, Report: r})
		return nil
	},
}

// TestVerdicts: every view shows every verdict, and names the targets if there are
// several.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	for verdict, err := range map[report.Verdict]error{
		report.Success: nil, report.MinionFailed: nil,
		report.Invalid: &report.UnsentError{Err: errors.New("bad tree")}, report.Interrupted: context.Canceled, report.Unreachable: &client.TransportError{Err: errors.New("no route")},
		report.Refused:      &client.StatusError{StatusCode: 401},
		report.Unknown:      &client.StreamError{Err: errors.New("cut")},
		report.NotStarted:   &report.NotStartedError{After: "eu"},
		report.ServerFailed: &client.StatusError{StatusCode: 500},
	} {
		rep := report.New(report.Request{Name: "eu-site", Project: "shop", Deployment: "prod"}, report.Request{
			Name: "us-site", Project: "shop", Deployment: "prod", Highstate: true, RequireMinions: verdict == report.MinionFailed,
		})
		for i, target := range rep.Targets {
			switch {
			case i == 0:
				_, _ = target.Add(client.Event{Name: client.DeployBundle})
				target.Finish(nil)
				continue
			case err == nil:
				for _, name := range []string{client.DeployBundle, client.HighstateCalc, client.HighstateStart, client.HighstateFinish} {
					_, _ = target.Add(client.Event{Name: name})
				}
			}
			target.Finish(err)
		}
		rep.Finish()
		if got := rep.Targets[1].Verdict; got != verdict {
			t.Errorf("verdict %s, want %s", got, verdict)
		}
		for name, write := range everyView {
			var out bytes.Buffer
			if err := write(&out, rep); err != nil {
				t.Errorf("%s of %s: %v", name, verdict, err)
			}
			for _, want := range []string{"us", "eu"} {
				if !strings.Contains(strings.NewReplacer("&#45;", "-", "%3A", ":").Replace(out.String()), want+"-site") {
					t.Errorf("%s of %s does not name the target %s-site:\n%.2000s", name, verdict, want, &out)
				}
			}
		}
	}
}

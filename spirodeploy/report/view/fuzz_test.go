package view_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// FuzzViews: any stream and any names have one verdict, harmless views, and a report that
// is JSON.
func FuzzViews(f *testing.F) {
	for _, name := range streams.All {
		f.Add(streams.Read(name), "shop", "prod", "", true)
	}
	const begun = "event: deploy-bundle\ndata: {}\n\nevent: highstate-calc\ndata: {}\n\n"
	for _, seed := range []string{
		"event: \x1b[2J\ndata: \u202e\x9b\n\n",
		begun + "event: highstate-start\ndata: {\"minions\": [\"\\u001b]0;x\\u0007\", \"\u2028\"]}\n\n",
		begun + `event: highstate-update` + "\n" + `data: {"minion": "m", "result": {"ret": {"a_|-\u009b_|-c_|-d": {"result": false, "comment": ["\r", {"\b": 1}], "changes": {"\u0000": ["\u202e", [[]], {}]}, "warnings": "` + "\xff" + `"}}, "retcode": 2}}` + "\n\n",
		begun + `event: highstate-update` + "\n" + `data: {"minion": "m", "result": {"ret": ["\u001b"], "jid": {"a": [1]}}}` + "\n\n" + "event: highstate-finish\ndata: {}\n\n",
		begun + "event: exception\ndata: {\"msg\": \"a\\r\\nb\\u0085\"}\n\n",
	} {
		f.Add([]byte(seed), "a\x1b", "\u202e", "it broke \x07", false)
	}
	f.Fuzz(func(t *testing.T, stream []byte, project, deployment, problem string, highstate bool) {
		var end error
		if problem != "" {
			end = errors.New(problem)
		}
		rep := report.New(report.Request{Project: project, Deployment: deployment, Highstate: highstate, Server: problem})
		target := rep.Targets[0]
		var text, all bytes.Buffer
		tell := view.Story(&text, view.StoryOptions{})
		for event, err := range client.ReadEvents(bytes.NewReader(stream)) {
			if err != nil {
				end = err
				break
			}
			minion, err := target.Add(event)
			if err != nil {
				end = err
				break
			}
			tell(report.Update{Kind: report.Happened, Stage: report.Deploying, Event: event, Minion: minion})
		}
		target.Finish(end)
		rep.Finish()
		if (rep.Err() == nil) != (rep.ExitStatus == 0) || (rep.Verdict == report.Success) != (rep.ExitStatus == 0) {
			t.Errorf("verdict %s, status %d, error %v", rep.Verdict, rep.ExitStatus, rep.Err())
		}
		if err := errors.Join(view.Text(&text, rep, view.TextOptions{}), rep.WriteJSON(&all)); err != nil {
			t.Fatal(err)
		}
		if shown := text.String(); sanitize.Text(shown) != shown {
			t.Errorf("it shows %q", shown)
		}
		if shown := all.String(); sanitize.Text(shown) != shown || !json.Valid(all.Bytes()) || strings.Contains(shown, "\t") {
			t.Errorf("the report is %q", shown)
		}
	})
}

// Package runs makes reports of runs for tests.
package runs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// Flags spells options as the command does.
func Flags(o fault.Option) string { return "--" + string(o) }

// Fold makes the report of a stream and of the error that ends it.
func Fold(stream []byte, highstate bool, err error, change ...func(*report.Target)) *report.Report {
	rep := report.New(report.Request{Server: "https://salt:4510/", Project: "shop", Deployment: "prod", Highstate: highstate})
	rep.Spell = Flags
	target := rep.Targets[0]
	target.Bundle = report.Bundle{Digest: "sha256:0123", Size: 2048, Entries: 2}
	for _, f := range change {
		f(target)
	}
	for event, streamErr := range client.ReadEvents(bytes.NewReader(stream)) {
		if streamErr != nil {
			err = streamErr
			break
		}
		_, _ = target.Add(event) // the report shows what came of it
	}
	rep.Targets[0].Finish(err)
	rep.Finish()
	return rep
}

// Writers are the views of a finished report.
var Writers = map[string]func(io.Writer, *report.Report) error{
	"json":     view.JSON,
	"text":     func(w io.Writer, r *report.Report) error { return view.Text(w, r, view.TextOptions{}) },
	"junit":    view.JUnit,
	"markdown": view.Markdown,
	"html":     view.HTML,
}

// Show returns a view of a report.
func Show(t testing.TB, rep *report.Report, format string) string {
	t.Helper()
	var out bytes.Buffer
	if err := Writers[format](&out, rep); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Result returns a result of about size bytes. Its first and last states changed
// something. If fails is set, it has one more state, which failed.
func Result(id string, size int, fails bool) json.RawMessage {
	var b strings.Builder
	b.WriteString(`{"jid": "20261123114649295956", "ret": {`)
	last := size / 350
	for i := range last + 1 {
		changes := "{}"
		if i == 0 || i == last {
			changes = `{"diff": "of ` + id + `\n"}`
		}
		fmt.Fprintf(&b, `"file_|-conf%d_|-/etc/app/%d.conf_|-managed": {"changes": %s, "comment": "File of %s, %s", "result": true, "__run_num__": %d, "duration": 1.5}, `,
			i, i, changes, id, strings.Repeat("x", 200), last-i)
	}
	retcode := 0
	if fails {
		retcode = 2
		b.WriteString(`"cmd_|-bad_|-false_|-run": {"result": false, "comment": "it broke on ` + id + `", "__run_num__": 1e6}, `)
	}
	fmt.Fprintf(&b, `"__extend__": []}, "retcode": %d}`, retcode)
	return json.RawMessage(b.String())
}

// Many folds a run of many minions. Every tenth fails.
func Many(t testing.TB, minions, size int) *report.Report {
	t.Helper()
	rep := report.New(report.Request{Project: "shop", Deployment: "prod", Highstate: true})
	target := rep.Targets[0]
	for _, name := range []string{client.DeployBundle, client.HighstateCalc} {
		Add(t, target, client.Event{Name: name})
	}
	for i := range minions {
		id := fmt.Sprint("web", i+1)
		m := Add(t, target, client.Event{Name: client.HighstateUpdate, Time: time.Now(), Minion: id, Result: Result(id, size, i%10 == 9)})
		if m == nil || m.ID != id {
			t.Fatalf("the result of %s is that of %v", id, m)
		}
	}
	Add(t, target, client.Event{Name: client.HighstateFinish})
	target.Finish(nil)
	rep.Finish()
	return rep
}

// Add adds an event to a target.
func Add(t testing.TB, target *report.Target, e client.Event) *report.Minion {
	t.Helper()
	m, err := target.Add(e)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Fill adds minions until only tiny results have room in memory.
func Fill(t testing.TB, target *report.Target) {
	t.Helper()
	for size, n := 1<<20, 0; size > 100; n++ {
		id := fmt.Sprint("full", n)
		if m := Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: id, Result: Result(id, size, false)}); len(m.States) == 0 {
			size /= 4
		}
	}
}

package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// whole fails unless the details of the minion are its result.
func whole(t *testing.T, m *report.Minion, raw json.RawMessage) {
	t.Helper()
	got, err := m.Details()
	if want := highstate.Parse(raw); err != nil || !reflect.DeepEqual(got, want) || m.Counts != want.Counts() || m.Status != want.Status || m.JID != want.JID {
		t.Errorf("%s: %d states, %+v, %v", m.ID, len(got.States), m.Counts, err)
	}
}

// heap returns the size of the live heap, in bytes.
func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// TestManyResults: a report of many minions loses nothing, and keeps little in memory.
func TestManyResults(t *testing.T) { //nolint:paralleltest // it measures the heap
	const minions, size = 1000, 20 << 10
	before := heap()
	rep := runs.Many(t, minions, size)
	defer rep.Close()
	if grown := heap() - before; grown > 16<<20 {
		t.Errorf("the report takes %d MiB", grown>>20)
	}
	target := rep.Targets[0]
	states := minions*(size/350+1) + minions/10
	if got := target.Minions[0].Counts.Total; rep.Verdict != report.MinionFailed || got != size/350+1 || !strings.Contains(target.Summary, "100 of 1000 minions failed (web10, web20") {
		t.Errorf("verdict %s, %d states, %.100s", rep.Verdict, got, target.Summary)
	}
	for _, n := range []int{1, 2, 500, 990, 999, 1000} {
		whole(t, target.Minions[n-1], runs.Result(fmt.Sprint("web", n), size, n%10 == 0))
	}
	if len(target.Minions[0].States) == 0 || len(target.Minions[999].States) != 0 {
		t.Error("the first result is not in memory, or the last one is")
	}

	var text bytes.Buffer
	if err := view.Text(&text, rep, view.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "it broke on web"); n < 10 || n > minions/10 || strings.Count(text.String(), "\n") >= 200 {
		t.Errorf("the short text tells of %d failures:\n%s", n, &text)
	}
	text.Reset()
	if err := view.Text(&text, rep, view.TextOptions{Detail: view.Verbose}); err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]int{"Comment: File of web": states - minions/10, "diff: of web": 2 * minions, "Comment: it broke on web": minions / 10, "Result: True": states - minions/10} {
		if n := strings.Count(text.String(), what); n != want {
			t.Errorf("the text has %d times %q, want %d", n, what, want)
		}
	}
	in, out := io.Pipe()
	go func() { out.CloseWithError(rep.WriteJSON(out)) }()
	var back report.Report
	if err := json.NewDecoder(in).Decode(&back); err != nil {
		t.Fatal(err)
	}
	got := 0
	for i, m := range back.Targets[0].Minions {
		if got += len(m.States); len(m.States) != m.Counts.Total || m.ID != target.Minions[i].ID || m.Counts != target.Minions[i].Counts || m.Incomplete != "" {
			t.Errorf("%s: %d states, %+v %s", m.ID, len(m.States), m.Counts, m.Incomplete)
		}
	}
	if got != states {
		t.Errorf("%d states in JSON, want %d", got, states)
	}
}

// TestSameViews: views do not depend on the place of the results.
func TestSameViews(t *testing.T) {
	t.Parallel()
	results := []string{
		string(runs.Result("web1", 10_000, true)), string(runs.Result("web2", 10_000, false)), `{"failed": true}`, `"odd"`,
		`{"ret": ["` + strings.Repeat(`line\n`, 1000) + `", "and more"], "retcode": 1}`, `{"ret": "text"}`, `{"ret": {"a": {"result": true, "warnings": ["w"]}}}`,
	}
	views := func(full, brief bool, write ...func(io.Writer, *report.Report) error) string {
		rep := report.New(report.Request{Highstate: true})
		defer rep.Close()
		target := rep.Targets[0]
		rep.Started, target.Started = time.Time{}, time.Time{}
		if full {
			runs.Fill(t, target)
		}
		rep.Brief = brief
		before := len(target.Minions)
		for i, raw := range results {
			m := runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: fmt.Sprint("web", i), Result: json.RawMessage(raw)})
			if i == 0 && full != (len(m.States) == 0) {
				t.Errorf("%d states are in memory", len(m.States))
			}
		}
		target.Events, target.Minions = nil, target.Minions[before:]
		var out bytes.Buffer
		for _, write := range write {
			if err := write(&out, rep); err != nil {
				t.Fatal(err)
			}
		}
		return out.String()
	}
	text := func(w io.Writer, r *report.Report) error { return view.Text(w, r, view.TextOptions{Log: view.GitHub}) }
	if inMemory, inFile := views(false, false, text, view.JSON), views(true, false, text, view.JSON); inMemory != inFile {
		t.Errorf("in memory:\n%.3000s\nin a file:\n%.3000s", inMemory, inFile)
	}
	if got := views(false, true, view.JSON); !strings.Contains(got, `"incomplete": "the report is brief: `) {
		t.Errorf("nothing says that it is brief:\n%.3000s", got)
	}
	whole := views(true, false, text, view.Markdown)
	for _, full := range []bool{false, true} {
		if brief := views(full, true, text, view.Markdown); whole != brief {
			t.Errorf("all states:\n%.3000s\nbrief, in a file %v:\n%.3000s", whole, full, brief)
		}
	}
}

// TestAsJSON: WriteJSON writes a minion as package json does, apart from indentation.
func TestAsJSON(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 10_000, 2 << 20} {
		rep := report.New(report.Request{})
		m := runs.Add(t, rep.Targets[0], client.Event{Name: client.HighstateUpdate, Minion: "wéb<1>\x1b", Result: runs.Result("<&>\u2028", size, true)})
		var all bytes.Buffer
		if err := rep.WriteJSON(&all); err != nil {
			t.Fatal(err)
		}
		var got struct{ Targets []struct{ Minions []any } }
		var want any
		b, err := json.Marshal(m)
		if err := errors.Join(err, json.Unmarshal(b, &want), json.Unmarshal(all.Bytes(), &got)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Targets[0].Minions[0], want) {
			t.Errorf("%d bytes: %.1000s, want %.1000s", size, all.String(), b)
		}
		// A large result has a line for each state, a small one a line for each member.
		states, lines := bytes.Count(all.Bytes(), []byte(`"function"`)), bytes.Count(all.Bytes(), []byte("\n"))
		if (lines < states+100) != (size > 1<<20 || size == 0) {
			t.Errorf("%d bytes, %d states are %d lines", size, states, lines)
		}
	}
}

// TestAgain: a new result of a minion replaces the older one.
func TestAgain(t *testing.T) {
	t.Parallel()
	rep := report.New(report.Request{Highstate: true})
	defer rep.Close()
	target := rep.Targets[0]
	large := runs.Result("large", 9<<20, false)
	runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: "large", Result: large})
	runs.Fill(t, target)
	var results []json.RawMessage
	for _, size := range []int{1000, 500 << 10, 200 << 10, 300 << 10} {
		results = append(results, runs.Result(fmt.Sprint("again", size), size, false))
	}
	for range 3 {
		for _, raw := range results {
			whole(t, runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: "again", Result: raw}), raw)
		}
		whole(t, runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: "other", Result: runs.Result("x", 100, false)}), runs.Result("x", 100, false))
	}
	whole(t, target.Minions[0], large)
	failure := runs.Result("again", 1<<20, true)
	runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: "again", Result: failure})
	whole(t, runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: "again", Result: runs.Result("again", 1000, false)}), failure)
}

// TestClose: a closed report has everything but the results in its file.
func TestClose(t *testing.T) {
	t.Parallel()
	rep := runs.Many(t, 20, 1<<20)
	for range 2 {
		if err := rep.Close(); err != nil {
			t.Error(err)
		}
	}
	minions := rep.Targets[0].Minions
	if _, err := minions[0].Details(); err != nil {
		t.Errorf("the first: %v", err)
	}
	if r, err := minions[19].Details(); err == nil || !strings.Contains(err.Error(), "closed") || r.Status != highstate.Failed {
		t.Errorf("the last: %+v, %v", r, err)
	}
	incomplete(t, rep, "the report has been closed", 0)
	empty := report.New(report.Request{})
	if err := errors.Join(empty.Close(), new(report.Report).Close()); err != nil {
		t.Error(err)
	}
}

// incomplete fails unless the views of a run like that of TestClose say which details are
// missing, and why. So does a warning if it came in time.
func incomplete(t *testing.T, rep *report.Report, why string, warnings int) {
	t.Helper()
	target := rep.Targets[0]
	if rep.Verdict != report.MinionFailed || !strings.Contains(target.Summary, "2 of 20 minions failed (web10, web20)") || target.Minions[19].Counts.Failed != 1 {
		t.Errorf("%s %s", rep.Verdict, target.Summary)
	}
	if len(target.Warnings) != warnings || warnings > 0 && !strings.Contains(target.Warnings[0], why) {
		t.Errorf("warnings %q, want %d of %q", target.Warnings, warnings, why)
	}
	var text, all bytes.Buffer
	var back report.Report
	if err := errors.Join(view.Text(&text, rep, view.TextOptions{Detail: view.Verbose}), rep.WriteJSON(&all), json.Unmarshal(all.Bytes(), &back)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "is missing: "+why) || strings.Contains(text.String(), "it broke on web20") || !strings.Contains(text.String(), "Summary for web20") {
		t.Errorf("it shows %.2000s", text.String())
	}
	for i, m := range back.Targets[0].Minions {
		if m.Counts != target.Minions[i].Counts || (len(m.States) == 0) != strings.Contains(m.Incomplete, why) {
			t.Errorf("%s: %d states, incomplete: %q", m.ID, len(m.States), m.Incomplete)
		}
	}
	if len(back.Targets[0].Minions[0].States) == 0 || len(back.Targets[0].Minions[19].States) != 0 {
		t.Error("the first has no states, or the last has")
	}
}

// TestNoRoom: a report without a file loses details, and keeps its verdict.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	if os.Getenv("REPORT_WITHOUT_ROOM") != "" {
		rep := runs.Many(t, 20, 1<<20)
		t.Cleanup(func() { rep.Close() })
		incomplete(t, rep, "temporary file in "+os.TempDir(), 1)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, command := range map[string][]string{
		"no directory": {"env", "TMPDIR=/nowhere", exe, "-test.run=^TestNoRoom$"},
		// As a disk does that gets full on the way.
		"file too large": {"sh", "-c", `ulimit -f 8192 && trap "" XFSZ && exec "$0" -test.run='^TestNoRoom$'`, exe},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" {
				t.Skip("Windows has neither TMPDIR nor ulimit")
			}
			cmd := exec.Command(command[0], command[1:]...)
			cmd.Env = append(os.Environ(), "REPORT_WITHOUT_ROOM=1")
			if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestAtOnce: reports are independent, and views of one can be written at the same time.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	for n := range 2 {
		running.Go(func() {
			rep := runs.Many(t, 15+n, 1<<20)
			defer rep.Close()
			for range 2 {
				running.Go(func() { _ = errors.Join(view.Text(io.Discard, rep, view.TextOptions{}), rep.WriteJSON(io.Discard)) })
			}
			for i, m := range rep.Targets[0].Minions {
				whole(t, m, runs.Result(m.ID, 1<<20, i%10 == 9))
			}
		})
	}
	running.Wait()
}

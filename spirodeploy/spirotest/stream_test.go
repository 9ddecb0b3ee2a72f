package spirotest_test

import (
	"bufio"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// milliseconds are those that Salt writes as the duration of a state.
func milliseconds(ms float64) time.Duration {
	return time.Duration(ms*1000+0.5) * time.Microsecond
}

// TestRecorded scripts the minions of streams that were recorded from SpiroFS
// 0.3, and compares what the server sends: byte for byte, but for results,
// which are compared as JSON and without their times.
func TestRecorded(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file    string
		minions []spirotest.Minion
		more    []part
	}{
		{file: "no-highstate", minions: []spirotest.Minion{{ID: "web1"}}},
		{file: "no-minions", more: []part{highstate}},
		{file: "ok", more: []part{highstate}, minions: []spirotest.Minion{{ID: "web1", Result: spirotest.States(
			spirotest.State{
				SLS: "app", ID: "/etc/app.conf", Function: "file.managed", Comment: "File /etc/app.conf updated",
				Changes: map[string]any{"diff": "--- \n+++ \n@@ -1 +1 @@\n-v1\n+v2\n"}, Duration: milliseconds(31.755),
			},
			spirotest.State{
				SLS: "app", ID: "hello", Name: "echo hello", Function: "cmd.run", Comment: `Command "echo hello" run`,
				Changes: map[string]any{"pid": 5651, "retcode": 0, "stdout": "hello", "stderr": ""}, Duration: milliseconds(3.665),
			},
		)}}},
		{file: "states-failed", more: []part{highstate}, minions: []spirotest.Minion{{ID: "web1", Result: spirotest.States(
			spirotest.State{
				SLS: "app", ID: "fine", Name: "echo hello", Function: "cmd.run",
				Comment: "unless condition is true", Duration: milliseconds(2644.052),
			},
			spirotest.State{
				SLS: "app", ID: "bad", Name: "echo oops >&2; exit 3", Function: "cmd.run", Result: spirotest.Failed,
				Comment:  `Command "echo oops >&2; exit 3" run`,
				Changes:  map[string]any{"pid": 6221, "retcode": 3, "stdout": "", "stderr": "oops"},
				Duration: milliseconds(3.772),
			},
			spirotest.State{
				SLS: "app", ID: "after", Name: "echo never", Function: "cmd.run", Result: spirotest.RequisiteFailed,
				Comment: "One or more requisite failed: app.bad", Duration: milliseconds(0.003),
			},
			spirotest.State{
				SLS: "app", ID: "t", Function: "test.configurable_test_state", Comment: "multi\nline", Warnings: []string{"careful"},
				Changes:  map[string]any{"testing": map[string]any{"old": "Unchanged", "new": "Something pretended to change"}},
				Duration: milliseconds(0.765),
			},
			spirotest.State{
				SLS: "app", ID: "dep", Name: "/tmp/none", Function: "file.managed", Result: spirotest.Failed,
				Comment:  "Source file salt://no/such not found in saltenv 'shop/prod'",
				Duration: milliseconds(12.088),
			},
		)}}},
		{file: "render-failed", more: []part{highstate}, minions: []spirotest.Minion{{ID: "web1", Result: spirotest.NotCompiled(
			"Rendering SLS 'shop/prod:app' failed: Jinja variable 'undefined_thing' is undefined; line 1\n\n---\n{{ undefined_thing.foo }}    <======================\n---",
		)}}},
		{file: "minion-not-responding", more: []part{highstate}, minions: []spirotest.Minion{
			{ID: "db1", Delay: 10 * time.Millisecond, Result: spirotest.NoAnswer()},
			{ID: "web1", Result: spirotest.States(spirotest.State{
				SLS: "app", ID: "slow", Name: "sleep 3", Function: "cmd.run", Comment: `Command "sleep 3" run`,
				Changes: map[string]any{"pid": 7056, "retcode": 0, "stdout": "", "stderr": ""}, Duration: milliseconds(3006.97),
			})},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			srv := spirotest.New(t, spirotest.Options{Minions: tt.minions})
			stream := deploy(t, srv, "shop", "prod", withTop(t, "prod", "*"), tt.more...)
			want, wantResults := split(t, string(streams.Read(tt.file)))
			got, gotResults := split(t, stream)
			if got != want {
				t.Errorf("stream\n%s\nwant\n%s", got, want)
			}
			if !reflect.DeepEqual(gotResults, wantResults) {
				t.Errorf("results\n%v\nwant\n%v", gotResults, wantResults)
			}
		})
	}
}

// split takes the results out of a stream.
func split(tb testing.TB, stream string) (rest string, results []any) {
	tb.Helper()
	var b strings.Builder
	for line := range strings.Lines(stream) {
		head, text, ok := strings.Cut(line, `"result": `)
		if !ok || !strings.HasPrefix(head, `data: {"msg": "Minion`) {
			b.WriteString(line)
			continue
		}
		text, ok = strings.CutSuffix(text, "}\n")
		var result any
		if err := json.Unmarshal([]byte(text), &result); !ok || err != nil {
			tb.Fatalf("line %q: %v", line, err)
		}
		results = append(results, withoutTimes(tb, result))
		b.WriteString(head + "RESULT}\n")
	}
	return b.String(), results
}

// withoutTimes checks the form of job ids and starting times, and removes them.
func withoutTimes(tb testing.TB, value any) any {
	tb.Helper()
	object, ok := value.(map[string]any)
	if !ok {
		return value
	}
	if jid, ok := object["jid"].(string); ok && len(jid) != 20 {
		tb.Errorf("jid %q, want 20 digits", jid)
	}
	if start, ok := object["start_time"].(string); ok {
		_, err := time.Parse("15:04:05.000000", start)
		check(tb, err)
	}
	for _, key := range []string{"jid", "start_time", "skip_watch"} {
		delete(object, key)
	}
	for _, inner := range object {
		withoutTimes(tb, inner)
	}
	return object
}

// TestResult looks at the very bytes of a result.
func TestResult(t *testing.T) {
	t.Parallel()
	const times = `, "start_time": "T", "duration": `
	tests := []struct {
		name   string
		result any
		want   string // jid and start_time are J and T
	}{
		{"default", nil, `{"ret": {"test_|-nothing_|-nothing_|-nop": {"name": "nothing", "changes": {}, "result": true, "comment": "Success!", "__sls__": "app", "__run_num__": 0` + times + `1.0, "__id__": "nothing"}}, "out": "highstate", "retcode": 0, "jid": "J"}`},
		{"test mode", spirotest.States(spirotest.State{SLS: "app", ID: "x", Result: spirotest.WouldChange}), `{"ret": {"test_|-x_|-x_|-nop": {"name": "x", "changes": {}, "result": null, "comment": "", "__sls__": "app", "__run_num__": 0` + times + `0.0, "__id__": "x"}}, "out": "highstate", "retcode": 0, "jid": "J"}`},
		{"requisite", spirotest.States(spirotest.State{SLS: "app", ID: "x", Result: spirotest.RequisiteFailed}), `{"ret": {"test_|-x_|-x_|-nop": {"changes": {}, "result": false, "duration": 0.0, "start_time": "T", "comment": "", "__run_num__": 0, "__sls__": "app"}}, "out": "highstate", "retcode": 2, "jid": "J"}`},
		{"no states", spirotest.States(), `{"ret": {}, "out": "highstate", "retcode": 2, "jid": "J"}`},
		{"not compiled", spirotest.NotCompiled("a", "b"), `{"ret": ["a", "b"], "out": "highstate", "retcode": 1, "jid": "J"}`},
		{"no answer", spirotest.NoAnswer(), `{"failed": true}`},
		{"raw", json.RawMessage(`{"a":1,  "b":"<ü>"}`), `{"a":1,  "b":"<ü>"}`},
		{"raw with line breaks", json.RawMessage("{\n\"a\":\r\n1}"), `{ "a":  1}`},
		{"raw and broken", json.RawMessage(`{"a":`), `{"a":`},
		{"text", "<a & b>\u2028 ü \U0001f9c2 \x7f\x01 \\ \" \n\r\t\b\f, : []", `"<a & b>\u2028 \u00fc \ud83e\uddc2 \u007f\u0001 \\ \" \n\r\t\b\f, : []"`},
		{"map", map[string]any{"b": []int{1, 2}, "a": map[string]any{}}, `{"a": {}, "b": [1, 2]}`},
		{"number", 3.5, `3.5`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "wéb1", Result: tt.result}}})
			stream := deploy(t, srv, "shop", "prod", withTop(t, "prod", "*"), highstate)
			event, rest, _ := strings.Cut(stream, "event: highstate-update\n")
			if !strings.HasSuffix(event, `{"msg": "Highstating 1 minions: w\u00e9b1", "minions": ["w\u00e9b1"]}`+"\n\n") {
				t.Errorf("start %q", event)
			}
			got, _, _ := strings.Cut(rest, "\n")
			got = jid.ReplaceAllString(got, `"jid": "J"`)
			got = startTime.ReplaceAllString(got, `"start_time": "T"`)
			want := `data: {"msg": "Minion w\u00e9b1 finished", "minion": "w\u00e9b1", "result": ` + tt.want + `}`
			if got != want {
				t.Errorf("event\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestResultThatCannotBeSent(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Result: make(chan int)}}})
	stream := deploy(t, srv, "shop", "prod", withTop(t, "prod", "*"), highstate)
	if !strings.Contains(stream, `event: exception`+"\n"+`data: {"msg": "TypeError: result of minion web1: `) {
		t.Errorf("stream %q", stream)
	}
}

// TestOrder has minions that report in another order than the listed one, one
// that does not report, and looks at when the events come.
func TestOrder(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	srv.SetMinions(
		spirotest.Minion{ID: "slow", Delay: 300 * time.Millisecond},
		spirotest.Minion{ID: "silent", Silent: true, Delay: time.Hour},
		spirotest.Minion{ID: "first"},
		spirotest.Minion{ID: "second"},
	)
	began := time.Now()
	resp, err := client(t).Do(request(t, "POST", srv.URL(), srv.Token(0), upload("shop", "prod", withTop(t, "prod", "*"), highstate)))
	check(t, err)
	defer func() { _ = resp.Body.Close() }()
	var got []string
	at := map[string]time.Time{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var event struct{ Msg string }
		check(t, json.Unmarshal([]byte(data), &event))
		got = append(got, event.Msg)
		at[event.Msg] = time.Now()
	}
	check(t, lines.Err())
	want := []string{
		"Deploying bundle", "Calculating minions to highstate",
		"Highstating 4 minions: slow, silent, first, second",
		"Minion first finished", "Minion second finished", "Minion slow finished", "Highstate complete",
	}
	if !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
	if took := at["Minion slow finished"].Sub(began); took < 300*time.Millisecond {
		t.Errorf("the slow minion's event came after %v, want 300ms at least", took)
	}
}

func TestAllSilent(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Silent: true}}})
	stream := deploy(t, srv, "shop", "prod", withTop(t, "prod", "web1"), highstate)
	want := []string{"deploy-bundle", "highstate-calc", "highstate-start", "highstate-finish"}
	if got := names(stream); !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	for _, name := range []string{"exception", "states-failed", "no-minions"} {
		stream := string(streams.Read(name))
		for _, want := range []string{stream, stream[:len(stream)-20]} {
			srv.Replay([]byte(want))
			if got := deploy(t, srv, "shop", "prod", oneFile(t)); got != want {
				t.Errorf("%s: stream %q, want %q", name, got, want)
			}
		}
	}
	if status, _ := post(t, srv, "", upload("shop", "prod", oneFile(t))); status != 401 {
		t.Errorf("without a token: status %d, want 401", status)
	}
	srv.Replay(nil)
	if got := deploy(t, srv, "shop", "test", oneFile(t)); got != deployed {
		t.Errorf("stream %q, want the server's own", got)
	}
}

package highstate_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	ok := `"test_|-a_|-a_|-nop": {"result": true, "changes": {}, "comment": "", "__run_num__": 0}`
	for _, tt := range []struct {
		name, raw string
		status    highstate.Status
		message   string // part of the first one
	}{
		{"ok", `{"ret": {` + ok + `}, "retcode": 0}`, highstate.Succeeded, ""},
		{"null result", `{"ret": {"a_|-b_|-c_|-d": {"result": null, "changes": {"x": 1}}}, "retcode": 0}`, highstate.Succeeded, ""},
		{"false, with retcode", `{"ret": {"a_|-b_|-c_|-d": {"result": false}}, "retcode": 2}`, highstate.Failed, ""},
		{"false, without retcode", `{"ret": {` + ok + `, "a_|-b_|-c_|-d": {"result": false}}}`, highstate.Failed, ""},
		{"false, forgiven by onfail", `{"ret": {"a_|-b_|-c_|-d": {"result": false}}, "retcode": 0}`, highstate.Failed, ""},
		{"retcode alone", `{"ret": {` + ok + `}, "retcode": 2}`, highstate.Failed, ""},
		{"retcode as text", `{"ret": {` + ok + `}, "retcode": "2"}`, highstate.Failed, ""},
		{"retcode true", `{"ret": {` + ok + `}, "retcode": true}`, highstate.Failed, ""},
		{"retcode a fraction", `{"ret": {` + ok + `}, "retcode": 0.5}`, highstate.Failed, ""},
		{"retcode a word", `{"ret": {` + ok + `}, "retcode": "error"}`, highstate.Failed, ""},
		{"retcode the text 0, which Python takes for true", `{"ret": {` + ok + `}, "retcode": "0"}`, highstate.Failed, ""},
		{"retcode a list", `{"ret": {` + ok + `}, "retcode": [1]}`, highstate.Failed, ""},
		{"retcode an object", `{"ret": {` + ok + `}, "retcode": {"a": 0}}`, highstate.Failed, ""},
		{"retcode NaN", `{"ret": {` + ok + `}, "retcode": "NaN"}`, highstate.Failed, ""},
		{"retcode huge", `{"ret": {` + ok + `}, "retcode": 1e300}`, highstate.Failed, ""},
		{"retcode tiny", `{"ret": {` + ok + `}, "retcode": 1e-300}`, highstate.Failed, ""},
		{"retcode false", `{"ret": {` + ok + `}, "retcode": false}`, highstate.Succeeded, ""},
		{"retcode null", `{"ret": {` + ok + `}, "retcode": null}`, highstate.Succeeded, ""},
		{"retcode empty", `{"ret": {` + ok + `}, "retcode": ""}`, highstate.Succeeded, ""},
		{"retcode empty list", `{"ret": {` + ok + `}, "retcode": []}`, highstate.Succeeded, ""},
		{"retcode 0.0", `{"ret": {` + ok + `}, "retcode": -0.0}`, highstate.Succeeded, ""},
		{"no states", `{"ret": {}, "retcode": 0}`, highstate.Failed, "No states ran"},
		{"not compiled", `{"ret": ["Rendering SLS failed\n"], "retcode": 1}`, highstate.NotCompiled, "Rendering SLS failed"},
		{"empty list", `{"ret": [], "retcode": 1}`, highstate.NotCompiled, ""},
		{"text", `{"ret": "Minion did not return. [No response]"}`, highstate.Failed, "Minion did not return"},
		{"text, retcode 1", `{"ret": "Pillar failed to render", "retcode": 1}`, highstate.NotCompiled, "Pillar failed"},
		{"number", `{"ret": 3}`, highstate.Failed, "Salt returned 3"},
		{"null", `{"ret": null}`, highstate.Failed, "Salt returned null"},
		{"bool", `{"ret": false, "retcode": 0}`, highstate.Failed, "Salt returned false"},
		{"true", `{"ret": true, "retcode": 0}`, highstate.Failed, "Salt returned true"},
		{"no ret", `{}`, highstate.Failed, "no result"},
		{"no answer", `{"failed": true}`, highstate.NoAnswer, "did not answer"},
		{"failed false", `{"failed": false, "ret": {` + ok + `}}`, highstate.Succeeded, ""},
		{"no object", `[1]`, highstate.Failed, "no result of a highstate: [1]"},
		{"nothing", ``, highstate.Failed, "no result of a highstate"},
		{"state is text", `{"ret": {"a_|-b_|-c_|-d": "oops"}, "retcode": 0}`, highstate.Failed, ""},
		{"state is null", `{"ret": {"a_|-b_|-c_|-d": null}, "retcode": 0}`, highstate.Failed, ""},
		{"state without result", `{"ret": {"a_|-b_|-c_|-d": {"comment": "x"}}, "retcode": 0}`, highstate.Succeeded, ""},
		{"state is empty", `{"ret": {"a_|-b_|-c_|-d": {}}, "retcode": 0}`, highstate.Failed, ""},
		{"nested failure", `{"ret": {"a_|-b_|-c_|-d": {"in": {"result": false}}}, "retcode": 0}`, highstate.Failed, ""},
		{"nested success", `{"ret": {"a_|-b_|-c_|-d": {"in": {"result": true}}}, "retcode": 0}`, highstate.Succeeded, ""},
		{"extend", `{"ret": {` + ok + `, "__extend__": [1]}, "retcode": 0}`, highstate.Succeeded, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := highstate.Parse(json.RawMessage(tt.raw))
			if r.Status != tt.status {
				t.Errorf("status %s, want %s (%+v)", r.Status, tt.status, r)
			}
			if got := strings.Join(r.Messages, "|"); !strings.Contains(got, tt.message) {
				t.Errorf("messages %q, want %q", got, tt.message)
			}
		})
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	const raw = `{"jid": "2026", "retcode": 2, "ret": {
		"cmd_|-last_|-c_|-run": {"result": true, "__run_num__": 12, "comment": ["one", "two"], "duration": "12 ms"},
		"cmd_|-id_|-na_|-me_|-run": {"result": true, "__run_num__": 1, "__id__": "id", "duration": 3.5, "changes": {"pid": 1}, "__sls__": "app"},
		"cmd_|-a_|-b_|-n_|-run": {"result": false, "__run_num__": 2, "__id__": "a_|-b", "changes": "text", "warnings": ["w1", "w2"]},
		"cmd_|-second_|-x_|-wait": {"result": null, "changes": [], "name": "own name", "warnings": "w"},
		"odd": {"result": true, "changes": null, "comment": null, "duration": -4}
	}}`
	r := highstate.Parse(json.RawMessage(raw))
	type short struct {
		id, name, function string
		outcome            highstate.Outcome
		comment            string
		duration           time.Duration
		warnings           int
	}
	var got []short
	for _, s := range r.States {
		got = append(got, short{s.ID, s.Name, s.Function, s.Outcome, s.Comment, time.Duration(s.Duration), len(s.Warnings)})
	}
	want := []short{
		{"id", "na_|-me", "cmd.run", highstate.Changed, "", 3500 * time.Microsecond, 0},
		{"a_|-b", "n", "cmd.run", highstate.Bad, "", 0, 2},
		{"last", "c", "cmd.run", highstate.OK, "one\ntwo", 12 * time.Millisecond, 0},
		{"second", "own name", "cmd.wait", highstate.Pending, "", 0, 1}, // without a number: in the order of the document
		{"odd", "odd", "", highstate.OK, "", 0, 0},
	}
	if !slices.Equal(got, want) {
		t.Errorf("states\n got %+v\nwant %+v", got, want)
	}
	if c := r.Counts(); c.Total != 5 || c.Succeeded != 4 || c.Changed != 1 || c.Pending != 1 || c.Failed != 1 || time.Duration(c.Duration) != 15500*time.Microsecond {
		t.Errorf("counts %+v", c)
	}
	if r.JID != "2026" || r.Retcode != 2 || r.Status != highstate.Failed {
		t.Errorf("jid %s, retcode %d, status %s", r.JID, r.Retcode, r.Status)
	}
}

// TestRecorded counts what real minions returned.
func TestRecorded(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"ok":                    "web1 succeeded 2/0 failed, 2 changed",
		"states-failed":         "web1 failed 5/3 failed, 1 changed",
		"render-failed":         "web1 not-compiled 0/0 failed, 0 changed",
		"minion-not-responding": "web1 succeeded 1/0 failed, 1 changed; db1 no-answer 0/0 failed, 0 changed",
	}
	for name, want := range want {
		var got []string
		for event, err := range client.ReadEvents(bytes.NewReader(streams.Read(name))) {
			if err != nil {
				t.Fatal(err)
			}
			if event.Name == client.HighstateUpdate {
				r := highstate.Parse(event.Result)
				c := r.Counts()
				got = append(got, event.Minion+" "+string(r.Status)+" "+itoa(c.Total)+"/"+itoa(c.Failed)+" failed, "+itoa(c.Changed)+" changed")
			}
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%s: %s, want %s", name, s, want)
		}
	}
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func TestMilliseconds(t *testing.T) {
	t.Parallel()
	var m highstate.Milliseconds
	if err := json.Unmarshal([]byte("12.5"), &m); err != nil || time.Duration(m) != 12500*time.Microsecond {
		t.Errorf("12.5 is %v, %v", time.Duration(m), err)
	}
	if b, err := json.Marshal(m); err != nil || string(b) != "12.5" {
		t.Errorf("back it is %s, %v", b, err)
	}
}

// FuzzParse: Parse returns a verdict for any input, and succeeds only if Salt does.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"ret": {"a_|-b_|-c_|-d": {"result": true, "duration": "1e400 ms"}}, "retcode": 0}`))
	f.Add([]byte(`{"ret": ["x"], "retcode": 1e300}`))
	f.Add([]byte(`{"failed": {"a": 1}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := highstate.Parse(raw)
		if r.Status == highstate.Succeeded && (len(r.States) == 0 || r.Counts().Failed > 0 || r.Retcode != 0) {
			t.Errorf("%q succeeded: %+v", raw, r)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Errorf("%q: %v", raw, err)
		}
	})
}

// large returns a result of about 1 MiB, with states of a size.
func large(size int) json.RawMessage {
	const state = `, "file_|-conf_|-/etc/app/conf.d/app.conf_|-managed": {"changes": {}, "comment": "File /etc/app/conf.d/app.conf is in the correct state%s", ` +
		`"name": "/etc/app/conf.d/app.conf", "result": true, "__sls__": "app.conf", "__run_num__": 12, "start_time": "11:46:52.504325", "duration": 12.088, "__id__": "conf"}`
	one := strings.Replace(state, "%s", strings.Repeat("x", max(0, size-len(state))), 1)
	return json.RawMessage(`{"ret": {"a": {"result": true}` + strings.Repeat(one, 1<<20/len(one)) + `}, "retcode": 0, "jid": "20261123114649295956"}`)
}

func BenchmarkParse(b *testing.B) {
	var recorded json.RawMessage
	for event := range client.ReadEvents(bytes.NewReader(streams.Read("states-failed"))) {
		if event.Result != nil {
			recorded = event.Result
		}
	}
	for name, raw := range map[string]json.RawMessage{"recorded": recorded, "states of 350 bytes": large(350), "states of 2 KiB": large(2 << 10)} {
		for how, count := range map[string]func(json.RawMessage) int{
			"all":   func(raw json.RawMessage) int { return len(highstate.Parse(raw).States) },
			"brief": func(raw json.RawMessage) int { return highstate.ParseBrief(raw).All.Total },
		} {
			b.Run(name+", "+how, func(b *testing.B) {
				b.SetBytes(int64(len(raw)))
				b.ReportAllocs()
				for b.Loop() {
					if count(raw) == 0 {
						b.Fatal("there is no state")
					}
				}
			})
		}
	}
}

package view_test

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// shown returns a view as a person reads it.
func shown(t *testing.T, rep *report.Report, format string) string {
	t.Helper()
	switch format {
	case "html":
		return parsePage(t, runs.Show(t, rep, format)).text
	case "github":
		return strings.ReplaceAll(text(t, rep, view.TextOptions{Log: view.GitHub}), "%2C", ",")
	}
	return html.UnescapeString(strings.NewReplacer("<code>", "", "</code>", "").Replace(runs.Show(t, rep, format)))
}

// TestFailedAlike: every view names the root of a failure, and shows minions that failed
// in the same way once, whatever else they did.
func TestFailedAlike(t *testing.T) {
	t.Parallel()
	fails := func(i int, stderr string) string {
		return ret(
			entry(fmt.Sprintf("file_|-conf_|-/etc/%d_|-managed", i), "true", "updated", newDiff, i),
			entry("cmd_|-migrate_|-web migrate_|-run", "false", `Command "web migrate" run`, fmt.Sprintf(`{"pid": %d, "stderr": %q}`, i, stderr), 40),
			entry("service_|-web_|-web_|-running", "false", "One or more requisite failed: web.migrate", "{}", 41))
	}
	var results []string
	for i := range 30 {
		results = append(results, fails(i, "no database"))
	}
	results[4], results[5], results[6], results[7] = fails(4, "no disk"), `{"failed": true}`, `{"failed": true}`, ""
	rep := minions(t, results...)
	const (
		names   = "web1, web2, web3 and 23 more (26 minions)"
		because = `Because: web.migrate (cmd.run): Command "web migrate" run: no d` // "no database", and once "no disk"
	)
	for format, want := range map[string]map[string]int{
		"html":     {names: 1, "web5 failed": 1, "web6, web7 (2 minions) did not answer": 1, "web8 did not report": 1, because: 2, "All of them": 1, "\nweb30\n": 1, "All failed alike": 1},
		"markdown": {"web18, web19, web20, web21, web22": 1, " and 7 more (26 minions)": 1, "#### ❌ web5\n": 1, "#### ❌ web6, web7 (2 minions)\n": 1, because: 2},
		"junit":    {because: 2 * 27, `message="Because: web.migrate`: 27},
		"github": {"::error title=" + names + "%3A cmd.run migrate::": 1, "::error title=" + names + "%3A service.running web::" + because: 1, "::error title=web5%3A service.running": 1,
			"::error title=web6, web7 (2 minions)%3A did not answer::": 1, "::error": 6},
	} {
		got := shown(t, rep, format)
		for text, n := range want {
			if count := strings.Count(got, text); count != n {
				t.Errorf("%s has %q %d times, want %d:\n%.4000s", format, text, count, n, got)
			}
		}
	}
}

// TestSameChanges: white space in changes does not tell minions apart, since the report's
// temporary file has none.
func TestSameChanges(t *testing.T) {
	t.Parallel()
	did := func(changes string) string {
		return ret(entry("file_|-a_|-/a_|-managed", "false", "not updated", changes, 1))
	}
	rep := minions(t, did(`{"a b": {"old": "c d", "new": 1}}`), did(`{"a b":{"old":"c d","new":1}}`), did(`{"a b":{"old":"cd","new":1}}`))
	if got := shown(t, rep, "markdown"); !strings.Contains(got, "#### ❌ web1, web2 (2 minions)\n") || !strings.Contains(got, "#### ❌ web3\n") {
		t.Errorf("got:\n%s", got)
	}
}

// TestFailedOtherwise: minions that failed in different ways are shown apart.
func TestFailedOtherwise(t *testing.T) {
	t.Parallel()
	bad := func(comment, rest string) string {
		return `{"ret": {"a_|-b_|-c_|-d": {"result": false, "comment": "` + comment + `"` + rest + `}}, "retcode": 2}`
	}
	odd := func(retcode int) string {
		return fmt.Sprintf(`{"ret": {"a_|-b_|-c_|-d": {"result": true}}, "retcode": %d}`, retcode)
	}
	rep := minions(t, bad("x", ""), bad("y", ""), bad("x", `, "warnings": ["w"]`), bad("x", `, "changes": {"a": 1}`), odd(11), odd(12), `{"ret": ["x"], "retcode": 1}`, `{"ret": "x", "retcode": 2}`)
	if got := shown(t, rep, "markdown"); strings.Count(got, "\n#### ") != 8 || strings.Contains(got, "minions)") {
		t.Errorf("minions are together:\n%s", got)
	}
	if got := text(t, minions(t, append(strings.Split(strings.Repeat(odd(11)+"\n", 60), "\n")[:60], odd(12))...), view.TextOptions{}); !strings.Contains(got, "(60 minions)") || !strings.Contains(got, "return code: 12") {
		t.Errorf("return codes are together:\n%s", got)
	}
}

// story returns the line of a minion with a result.
func story(t *testing.T, target *report.Target, id, result string) string {
	t.Helper()
	var out strings.Builder
	m := runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: id, Result: json.RawMessage(result), Time: time.Now()})
	view.Story(&out, view.StoryOptions{Live: true})(report.Update{Kind: report.Happened, Stage: report.Highstate, Minion: m})
	return strings.TrimSpace(strings.TrimPrefix(out.String(), "highstate "))
}

// TestRootLine: the line of a minion that failed names the root in a few words, wherever
// its result is.
func TestRootLine(t *testing.T) {
	t.Parallel()
	rep := report.New(report.Request{Highstate: true})
	defer rep.Close()
	full := report.New(report.Request{Highstate: true})
	defer full.Close()
	runs.Fill(t, full.Targets[0])
	const lacks = "One or more requisite failed: "
	long := strings.Repeat("long ", 1000)
	pad := entry("test_|-nop_|-nop_|-nop", "true", strings.Repeat("x", 1000), "{}", 0)
	for name, tt := range map[string]struct {
		states []string
		want   string
	}{
		"one":          {[]string{entry("service_|-nginx_|-nginx_|-running", "false", "no such unit\nmore", "{}", 2)}, "nginx (service.running): no such unit; 2 states, 1 failed in "},
		"the first":    {[]string{entry("a_|-web_|-w_|-b", "false", lacks+"web.conf", "{}", 3), entry("a_|-c_|-c_|-d", "false", "later", "{}", 2), entry("a_|-conf_|-c_|-b", "false", "no source", "{}", 1)}, "conf (a.b): no source; 4 states, 3 failed in "},
		"all lack":     {[]string{entry("a_|-web_|-w_|-b", "false", lacks+"web.db", "{}", 3), entry("a_|-db_|-d_|-b", "false", lacks+"x.disk", "{}", 2)}, "db (a.b): " + lacks + "x.disk; "},
		"a command":    {[]string{entry("cmd_|-m_|-m_|-run", "false", `Command "m" run`, `{"stderr": "a\nno db\n", "retcode": 1}`, 1)}, `m (cmd.run): Command "m" run: no db; `},
		"no words":     {[]string{entry("a_|-b_|-c_|-d", "false", "", "{}", 1)}, "b (a.d): Salt gives no reason; "},
		"long":         {[]string{entry("cmd_|-"+long+"_|-"+long+"_|-run", "false", long, `{"stderr": "`+long+`"}`, 1)}, strings.Repeat("long ", 11) + "long… (cmd.run): long"},
		"not harmless": {[]string{`"a_|-\u001b[2J\u202e_|-b_|-c": {"result": false, "comment": "\u009b\n##vso[x]"}`}, `\x1b[2J\u202e (a.c): \x9b; `},
		"no state":     {[]string{`"x": 1`}, "x: Salt returned 1 in place of a state.; "},
	} {
		result := ret(append(tt.states, pad)...)
		got := story(t, rep.Targets[0], name, result)
		if want := name + " FAILED: " + tt.want; !strings.HasPrefix(got, want) || len(got) > 300 {
			t.Errorf("%s: the line is\n%s, want\n%s", name, got, want)
		}
		if again := story(t, full.Targets[0], name, result); again != got {
			t.Errorf("%s: from a file it is\n%s, not\n%s", name, again, got)
		}
		if ms := full.Targets[0].Minions; len(ms[len(ms)-1].States) > 0 {
			t.Errorf("%s: the states are in memory", name)
		}
	}
	if got := story(t, rep.Targets[0], "odd", `{"ret": {"a_|-b_|-c_|-d": {"result": true}}, "retcode": 11}`); !strings.HasPrefix(got, "odd FAILED: Salt's return code is 11; 1 state, 0 changed in ") {
		t.Errorf("the line is %s", got)
	}
}

package view_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// text returns a summary.
func text(t testing.TB, rep *report.Report, o view.TextOptions) string {
	t.Helper()
	var out bytes.Buffer
	if err := view.Text(&out, rep, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var sectionTimes = regexp.MustCompile(`(section_(?:start|end)):\d+`)

// TestTexts pins texts of recorded streams with other options than TestRecorded.
func TestTexts(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]view.TextOptions{
		"verbose": {Detail: view.Verbose}, "quiet": {Detail: view.Quiet}, "color": {Color: true},
		"github": {Log: view.GitHub}, "gitlab": {Log: view.GitLab, Color: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var all strings.Builder
			for _, stream := range streams.All {
				rep := runs.Fold(streams.Read(stream), stream != "no-highstate", nil)
				fmt.Fprintf(&all, "=== %s\n%s", stream, sectionTimes.ReplaceAllString(text(t, rep, o), "$1:TIME"))
			}
			pinned(t, name+".txt", []byte(all.String()))
		})
	}
}

// minions makes the report of a run with results in that order. An empty one means that
// the minion did not report.
func minions(t testing.TB, results ...string) *report.Report {
	t.Helper()
	rep := report.New(report.Request{Project: "shop", Deployment: "prod", Highstate: true})
	rep.Spell, rep.Targets[0].Bundle.Digest = runs.Flags, "sha256:0123"
	var ids []string
	for i := range results {
		ids = append(ids, fmt.Sprintf("web%d", i+1))
	}
	runs.Add(t, rep.Targets[0], client.Event{Name: client.DeployBundle})
	runs.Add(t, rep.Targets[0], client.Event{Name: client.HighstateStart, Minions: ids})
	for i, result := range results {
		if result != "" {
			runs.Add(t, rep.Targets[0], client.Event{Name: client.HighstateUpdate, Minion: ids[i], Result: json.RawMessage(result)})
		}
	}
	runs.Add(t, rep.Targets[0], client.Event{Name: client.HighstateFinish})
	rep.Targets[0].Finish(nil)
	rep.Finish()
	return rep
}

// entry is a state as Salt returns it.
func entry(tag, result, comment, changes string, n int) string {
	return fmt.Sprintf(`%q: {"result": %s, "comment": %q, "changes": %s, "__sls__": "web", "__run_num__": %d, "duration": %d.5}`, tag, result, comment, changes, n, n)
}

func ret(entries ...string) string { return `{"ret": {` + strings.Join(entries, ", ") + `}}` }

const newDiff = `{"diff": "--- \n+++ \n@@ -1,2 +1,3 @@\n same\n--- was\n+++ is\n+more\n"}`

// manyMinions is a run of 200 minions with 100 states each: most did the same.
func manyMinions(t testing.TB) *report.Report {
	results := make([]string, 200)
	for i := range results {
		var entries []string
		for n := range 96 {
			entries = append(entries, entry(fmt.Sprintf("file_|-conf%d_|-/etc/web/%[1]d.conf_|-managed", n), "true", "is in the correct state", "{}", n))
		}
		entries = append(entries, entry("test_|-nop_|-nop_|-nop", "true", "Success!", "{}", i)) // as long as nowhere else
		changed := newDiff
		if i%20 == 3 {
			changed = `{"diff": "New file", "mode": "0644"}`
		}
		entries = append(entries,
			entry("file_|-config_|-/etc/web.conf_|-managed", "true", "File /etc/web.conf updated", changed, 96),
			entry("cmd_|-migrate_|-web migrate --all_|-run", "true", `Command "web migrate --all" run`, fmt.Sprintf(`{"pid": %d, "stdout": "done", "retcode": 0}`, i), 97))
		if i%50 == 7 {
			lacking := []string{"web.unit", "web.site"}
			if i > 100 { // Salt has them from a set
				lacking = []string{"web.site", "web.unit"}
			}
			entries = append(entries,
				entry("file_|-unit_|-/etc/web.service_|-managed", "false", "Source file salt://web.service not found in saltenv 'shop/prod'", "{}", 98),
				entry("cmd_|-site_|-web site_|-run", "false", `Command "web site" run`, fmt.Sprintf(`{"pid": %d, "retcode": 1, "stderr": "one\ntwo\nthree\nno such site"}`, i), 99),
				entry("service_|-web_|-web_|-running", "false", "One or more requisite failed: "+strings.Join(lacking, ", "), "{}", 100))
		}
		results[i] = ret(entries...)
	}
	results[20] = `{"ret": ["Rendering SLS 'shop/prod:web' failed: Jinja variable 'port' is undefined; line 1\n\n---\n{{ port }}    <======================\n---"], "retcode": 1}`
	results[40] = `{"failed": true}`
	results[60], results[61] = "", ""
	return minions(t, results...)
}

func TestFolded(t *testing.T) {
	t.Parallel()
	rep := manyMinions(t)
	got := text(t, rep, view.TextOptions{})
	if n := strings.Count(got, "\n"); n >= 200 {
		t.Errorf("%d lines", n)
	}
	pinned(t, "folded.txt", []byte(got))
	pinned(t, "folded-github.txt", []byte(text(t, rep, view.TextOptions{Log: view.GitHub})))
	if n, all := strings.Count(text(t, rep, view.TextOptions{Detail: view.Verbose}), "    ----------\n"), rep.Targets[0].Minions; n < 100*(len(all)-10) {
		t.Errorf("verbose, it tells of %d states", n)
	}
}

// TestFoldedAlike: if one target of a run is folded, so are the others.
func TestFoldedAlike(t *testing.T) {
	t.Parallel()
	change := ret(entry("file_|-f_|-/f_|-managed", "true", "", newDiff, 1))
	folds := func(results ...string) int {
		rep := minions(t, change)
		rep.Targets = append(rep.Targets, minions(t, results...).Targets[0], minions(t, change).Targets[0])
		return strings.Count(text(t, rep, view.TextOptions{}), "Folded, without SLS, times and diffs: --verbose")
	}
	if n := folds(change); n != 0 {
		t.Errorf("%d of 3 short targets are folded", n)
	}
	if n := folds(slices.Repeat([]string{change}, 100)...); n != 3 {
		t.Errorf("%d of 3 targets are folded, and one of them is long", n)
	}
}

// TestShort: a summary that is not verbose has less than 200 lines, and contains the
// failures.
func TestShort(t *testing.T) {
	t.Parallel()
	fails := func(i int) string {
		return entry(fmt.Sprintf("cmd_|-bad%d_|-false_|-run", i), "false", fmt.Sprintf("it broke in way %d", i), "{}", i)
	}
	each := func(n int, one func(int) string) (all []string) {
		for i := range n {
			all = append(all, one(i))
		}
		return all
	}
	changes := func(i int) string { return entry(fmt.Sprintf("file_|-f%d_|-/f_|-managed", i), "true", "", newDiff, i) }
	lines := strings.Repeat(`line\n`, 1000)
	for name, tt := range map[string]struct {
		results []string
		says    string
	}{
		"200 minions that failed differently":  {each(200, func(i int) string { return ret(fails(i)) }), "it broke in way 3"},
		"2,000 changes":                        {[]string{ret(each(2000, changes)...)}, "Folded, without 1815 states, and without SLS, times and diffs: "},
		"2,000 failures":                       {[]string{ret(each(2000, fails)...)}, "more states that failed"},
		"2,000 changes and failures":           {[]string{ret(append(each(2000, changes), each(2000, fails)...)...)}, "it broke in way 0"},
		"a failure after 2,000 changes":        {[]string{ret(append(each(2000, changes), fails(2001))...)}, "it broke in way 2001"},
		"200 minions that changed differently": {append(each(200, func(i int) string { return ret(changes(i)) }), ret(fails(0))), "it broke in way 0"},
		"a long message":                       {[]string{`{"ret": ["` + lines + `", "more"], "retcode": 1}`}, "more lines"},
		"a long comment":                       {[]string{`{"ret": {"a_|-b_|-c_|-d": {"result": false, "comment": "` + lines + `", "warnings": ["` + lines + `", "w", "w"]}}}`}, "Warning: line …"},
		"a long diff":                          {[]string{ret(entry("file_|-f_|-/f_|-managed", "true", "", `{"diff": "@@ -1 +1 @@\n`+strings.Repeat(`+line\n`, 1000)+`"}`, 1))}, "+1000 −0"},
		"a large group after small ones":       {append(each(200, func(i int) string { return ret(changes(i)) }), each(50, func(int) string { return ret(changes(0), changes(1)) })...), "and 47 more (50 minions)"},
		"300 minions that did not report":      {make([]string, 300), "web1, web2, web3 and 297 more (300 minions):\n    did not report"},
		"300 that did nothing":                 {each(300, func(int) string { return ret(entry("a_|-b_|-c_|-d", "true", "", "{}", 1)) }), "web1, web2, web3 and 297 more (300 minions):\n    Succeeded: 1, Failed: 0"},
		"Salt's return code":                   {each(100, func(int) string { return `{"ret": {"a_|-b_|-c_|-d": {"result": true}}, "retcode": 11}` }), "Salt's return code: 11"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rep := minions(t, tt.results...)
			for _, log := range []view.Log{"", view.GitHub, view.GitLab} {
				got := text(t, rep, view.TextOptions{Log: log})
				if n := strings.Count(got, "\n"); n >= 200 {
					t.Errorf("%s: %d lines", log, n)
				}
				if log == "" && (!strings.Contains(got, tt.says) || !strings.Contains(got, "Folded")) {
					t.Errorf("want %q in\n%s", tt.says, got)
				}
			}
		})
	}
	trace := runs.Fold([]byte("event: deploy-bundle\ndata: {}\n\nevent: exception\ndata: {\"msg\": \""+lines+"the reason\"}\n\n"), true, nil)
	if got := text(t, trace, view.TextOptions{}); strings.Count(got, "\n") >= 200 || !strings.Contains(got, "FAILURE: ") || !strings.Contains(got, "the reason") {
		t.Errorf("a long exception:\n%s", got)
	}
}

// TestColors: a text has no escape sequences without colours, and otherwise each one ends
// with its line.
func TestColors(t *testing.T) {
	t.Parallel()
	whole := regexp.MustCompile(`^(\x1b\[[0-9;]+m[^\x1b]+\x1b\[0m|[^\x1b]*)$`)
	for _, rep := range []*report.Report{manyMinions(t), minions(t, ret(entry("a_|-\x1b[31m_|-c_|-d", "false", "\n\x1b[0m\n", newDiff, 1)))} {
		for _, detail := range []view.Detail{view.Normal, view.Quiet, view.Verbose} {
			plainly, colored := text(t, rep, view.TextOptions{Detail: detail}), text(t, rep, view.TextOptions{Detail: detail, Color: true})
			if strings.Contains(plainly, "\x1b") || !strings.Contains(colored, "\x1b") {
				t.Errorf("%s: escape sequences without colour, or none with it", detail)
			}
			for text := range strings.SplitSeq(colored, "\n") {
				if !whole.MatchString(text) {
					t.Fatalf("%s: the line %q", detail, text)
				}
			}
			if stripped := regexp.MustCompile(`\x1b\[[0-9;]+m`).ReplaceAllString(colored, ""); stripped != plainly {
				t.Errorf("%s: with colour it says something else", detail)
			}
		}
	}
}

// TestOdd pins causes and changes that recorded streams do not have.
func TestOdd(t *testing.T) {
	t.Parallel()
	const lacks = "One or more requisite failed: "
	var entries []string
	for i := range 9 { // a long way down
		comment := fmt.Sprintf("%sweb.step%d", lacks, i+1)
		if i == 8 {
			comment = "The following requisites were not found:\n                   require:\n                       cmd: nowhere\n"
		}
		entries = append(entries, entry(fmt.Sprintf("test_|-step%d_|-step%[1]d_|-nop", i), "false", comment, "{}", i))
	}
	for i := range 5 {
		entries = append(entries, entry(fmt.Sprintf("cmd_|-a, b.%d_|-exit %[1]d_|-run", i), "false", "", `{"stderr": "one\nlast\n"}`, 10+i))
	}
	entries = append(entries,
		entry("service_|-web_|-web_|-running", "false", lacks+"web.a, b.0, web.a, b.1, web.a, b.2, web.a, b.3, web.a, b.4", "{}", 20),
		entry("service_|-db_|-db_|-running", "false", lacks+"db.config", "{}", 21),
		entry("file_|-tree_|-/srv_|-recurse", "true", "Recursively updated /srv", `{"/srv/a": {"diff": "New file", "mode": "0644"}, "/srv/b": `+newDiff+`}`, 22),
		entry("cmd_|-say_|-say_|-run", "true", "", `{"stdout": "one\n\n\ntwo", "retcode": 0}`, 23),
		entry("pkg_|-p_|-p_|-installed", "null", "", `["a", {"b": null}, [1.5]]`, 24),
		entry("x_|-text_|-text_|-y", "true", "", `"a\nb"`, 25))
	rep := minions(t, ret(entries...), `{"ret": {"a_|-b_|-c_|-d": {"result": true}}, "retcode": 11}`)
	pinned(t, "odd.txt", []byte(text(t, rep, view.TextOptions{Detail: view.Verbose})))
	pinned(t, "odd-folded.txt", []byte(text(t, rep, view.TextOptions{})))
}

// TestLargeChanges: small changes that unfold to much do not fill a screen.
func TestLargeChanges(t *testing.T) {
	t.Parallel()
	nested := strings.Repeat("[", 90) + strings.Repeat("1,", 20_000) + "1" + strings.Repeat("]", 90)
	for name, changes := range map[string]string{"nested": nested, "large": `{"diff": "` + strings.Repeat("x", 200<<10) + `"}`, "not UTF-8": `{"diff": "` + strings.Repeat("\x80", 200<<10) + `"}`} {
		got := text(t, minions(t, ret(entry("a_|-b_|-c_|-d", "true", "", changes, 1))), view.TextOptions{Detail: view.Verbose})
		if len(got) > 512<<10 || !strings.Contains(got, " more bytes)") {
			t.Errorf("%s: %d bytes, %.500s", name, len(got), got)
		}
	}
}

// TestLargeDiff: the beginning of a large diff is shown as a diff, with or without white space
// in its JSON.
func TestLargeDiff(t *testing.T) {
	t.Parallel()
	diff := `"--- \n+++ \n@@ -0,0 +1 @@\n` + strings.Repeat(`+a line\n`, 20_000) + `"`
	var before string
	for _, changes := range []string{`{"diff": ` + diff + `, "mode": {"old": "0644", "new": "0600"}}`, `{"diff":` + diff + `,"mode":{"old":"0644","new":"0600"}}`} {
		got := text(t, minions(t, ret(entry("file_|-b_|-c_|-managed", "true", "", changes, 1))), view.TextOptions{Detail: view.Verbose})
		if !strings.Contains(got, "Changes: diff:\n") || !strings.Contains(got, "\n                    +a line\n                    +a line\n") || !strings.Contains(got, "0600") || !strings.Contains(got, " more bytes)") {
			t.Errorf("%d bytes: %.500s", len(got), got)
		}
		if before != "" && got != before {
			t.Error("white space makes a difference")
		}
		before = got
	}
}

// TestWindows: the lines of Windows minions end without a visible CR.
func TestWindows(t *testing.T) {
	t.Parallel()
	rep := minions(t,
		ret(`"cmd_|-i_|-dir_|-run": {"result": false, "comment": "ran\r\nfor long\r\n", "changes": {"stdout": "a\r\nb"}, "warnings": ["old\r\nslow"]}`),
		`{"ret": ["Rendering SLS failed\r\nline 2\r\n"], "retcode": 1}`)
	for name, got := range map[string]string{
		"text": text(t, rep, view.TextOptions{}), "verbose": text(t, rep, view.TextOptions{Detail: view.Verbose}), "GitHub": text(t, rep, view.TextOptions{Log: view.GitHub}),
		"html": runs.Show(t, rep, "html"), "markdown": runs.Show(t, rep, "markdown"), "junit": runs.Show(t, rep, "junit"),
	} {
		if strings.Contains(got, `\x0d`) || !strings.Contains(got, "Rendering SLS failed") || !strings.Contains(got, "for long") {
			t.Errorf("%s: %.4000s", name, got)
		}
	}
}

// FuzzLargeChanges: any large text keeps its beginning, wherever it is cut.
func FuzzLargeChanges(f *testing.F) {
	for _, unit := range []string{"a", "\\", "\"", "\n", "\x01", "é", "😀", "a\\", "ab\x01", "é\\\x01", "abc\\", "\\ud83d"} {
		for pad := range 12 {
			f.Add(unit, pad)
		}
	}
	f.Fuzz(func(t *testing.T, unit string, pad int) {
		unit = strings.ToValidUTF8(unit, "")
		if unit == "" || len(unit) > 100 {
			return
		}
		whole := strings.Repeat("-", max(0, min(pad, 20))) + strings.Repeat(unit, 1+(200<<10)/len(unit))
		quoted, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		if pad%2 == 1 { // as Python writes it by default
			quoted = inASCII(quoted)
		}
		got := text(t, minions(t, ret(entry("a_|-b_|-c_|-d", "true", "", `{"text": `+string(quoted)+`}`, 1))), view.TextOptions{Detail: view.Verbose})
		if strings.Contains(got, `{"text"`) || strings.Contains(got, "\ufffd") && !strings.Contains(unit, "\ufffd") || !strings.Contains(got, " more bytes)") {
			t.Errorf("%d of %q: %.300q … %.300q", pad, unit, got, got[max(0, len(got)-500):])
		}
	})
}

// inASCII returns JSON with an escape for each character that is not ASCII.
func inASCII(quoted []byte) []byte {
	var ascii []byte
	for _, r := range string(quoted) {
		if r < utf8.RuneSelf {
			ascii = append(ascii, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			ascii = fmt.Appendf(ascii, `\u%04x`, unit)
		}
	}
	return ascii
}

// TestWriteError: an error of the writer is returned.
func TestWriteError(t *testing.T) {
	t.Parallel()
	in, out := io.Pipe()
	in.CloseWithError(io.ErrClosedPipe)
	if err := view.Text(out, manyMinions(t), view.TextOptions{}); err == nil {
		t.Error("no error")
	}
}

func BenchmarkWriteText(b *testing.B) {
	rep := manyMinions(b)
	for name, o := range map[string]view.TextOptions{"normal": {}, "verbose": {Detail: view.Verbose, Color: true}, "github": {Log: view.GitHub}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := view.Text(io.Discard, rep, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package view_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"web1: ok": "web1: ok", "a::b": "a::b", "::error::x": ": :error::x", " \t::error::x": " \t: :error::x", "\u00a0\u2003::x": "\u00a0\u2003: :x",
		"a ##[error]x": "a ## [error]x", "###[x##[y": "### [x## [y", "::a ##[b]": ": :a ## [b]", "a\n::b\n ::c": "a\n: :b\n : :c",
		"\u200d::x": ": :x", ":\u200c:x": ": :x", "#\ufe0f#[x]": "## [x]", "e\u0301 ::": "e\u0301 ::", ":::x": ": ::x", "": "", "#": "#",
	} {
		if got := view.GitHub.Harmless(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
		if got := view.GitLab.Harmless(in); got != sanitize.Defuse(in) {
			t.Errorf("for GitLab, %q became %q", in, got)
		}
	}
}

// commands is a run in which every text would be a command to a log.
func commands(t testing.TB) *report.Report {
	const attack = `::error::x\n  ::stop-commands::y\n##[set-env name=A]b\n\u001b[0Ksection_start:1:a\r\u001b[0Kz%0A::warning::w`
	bad := `"::error_|-` + attack + `_|-` + attack + `_|-##[x]": {"result": false, "comment": "` + attack + `", "__sls__": "::debug::", "warnings": ["` + attack + `"], "changes": {"` + attack + `": "` + attack + `", "diff": "` + attack + `\n@@ \n+` + attack + `", "stderr": "` + attack + `"}}`
	rep := report.New(report.Request{Project: "::error::p", Deployment: "##[x]", Highstate: true})
	target := rep.Targets[0]
	target.Bundle = report.Bundle{Digest: "::error::d", Contents: []report.Content{{Name: "::error::c"}}}
	for id, result := range map[string]string{
		"::error::m%0A": `{"ret": {` + bad + `}, "retcode": 2}`, "##[error]m\n::error::n": `{"ret": ["` + attack + `"], "retcode": 1}`, "\x1b[0Ksection_end:1:a\r": `{"failed": true}`,
	} {
		runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: id, Result: json.RawMessage(result)})
	}
	target.Finish(fmt.Errorf("::error::%s", "it broke\n::error::again"))
	rep.Finish()
	return rep
}

// ours are the lines that may be commands.
var ours = map[view.Log]*regexp.Regexp{
	view.GitHub: regexp.MustCompile(`^::(group::\S.*|endgroup::|error (file=[^:,]+,)?title=[^:,]+::.+)$`),
	view.GitLab: regexp.MustCompile(`^\x1b\[0Ksection_(start|end):\d+:[a-zA-Z0-9_.-]+(\[collapsed=true\])?\r\x1b\[0K(\S.*)?$`),
}

// obeyed fails if a log would take a line of a summary for a command that is not ours.
func obeyed(t *testing.T, rep *report.Report) {
	t.Helper()
	for log, own := range ours {
		for _, detail := range []view.Detail{view.Normal, view.Quiet, view.Verbose} {
			open := 0
			for line := range strings.SplitSeq(text(t, rep, view.TextOptions{Detail: detail, Log: log, File: func(sls string) string { return sls }}), "\n") {
				command := log == view.GitHub && strings.HasPrefix(strings.TrimSpace(line), "::") || strings.ContainsAny(line, "\x1b\r")
				switch {
				case log == view.GitHub && strings.Contains(line, "##["), command && !own.MatchString(line), !command && sanitize.Text(line) != line:
					t.Errorf("%s, %s: the line %q", log, detail, line)
				case command && (strings.HasPrefix(line, "::group") || strings.Contains(line, "section_start:") && strings.HasPrefix(line, "\x1b")):
					open++
				case command && !strings.HasPrefix(line, "::error"):
					open--
				}
				if open < 0 || open > 1 {
					t.Fatalf("%s, %s: %d sections are open at %q", log, detail, open, line)
				}
			}
		}
	}
}

func TestHostileToLogs(t *testing.T) {
	t.Parallel()
	rep := commands(t)
	obeyed(t, rep)
	if got := text(t, rep, view.TextOptions{Log: view.GitHub}); strings.Count(got, "\n::error title=") != 4 || !strings.Contains(got, "::group::: :error::m%250A: Failed") {
		t.Errorf("want 4 annotations, and a title that is escaped, in\n%s", got)
	}
	if got := text(t, rep, view.TextOptions{Log: view.GitHub, File: func(sls string) string { return "a,b/" + sls }}); !strings.Contains(got, "\n::error file=a%2Cb/%3A%3Adebug%3A%3A,title=") {
		t.Errorf("no annotation names the file of its SLS in\n%s", got)
	}
}

// FuzzLogs: no log takes the text of a server for a command, and a summary that is not
// verbose is short.
func FuzzLogs(f *testing.F) {
	for _, name := range streams.All {
		f.Add(streams.Read(name), "shop")
	}
	const begun = "event: deploy-bundle\ndata: {}\n\nevent: highstate-update\n"
	f.Add([]byte(begun+`data: {"minion": "::error::", "result": {"ret": {"a_|-##[b]_|-\n::c_|-d": {"result": false, "comment": "a\n ::b", "changes": {"diff": "@@ \n::"}}}}}`+"\n\n"), "::error::")
	f.Add([]byte(begun+`data: {"minion": ":\u200d:", "result": {"ret": ["\n\u00a0::x::", "##\u200d["]}}`+"\n\n"), "##[")
	f.Fuzz(func(t *testing.T, stream []byte, project string) {
		rep := runs.Fold(stream, true, nil, func(t *report.Target) { t.Project, t.Saltenv = project, project+"/prod" })
		obeyed(t, rep)
		for log := range ours {
			if n := strings.Count(text(t, rep, view.TextOptions{Log: log}), "\n"); n >= 200 {
				t.Errorf("%s: %d lines", log, n)
			}
		}
	})
}

// TestSections: GitLab can tell them apart, and shows how long a minion took.
func TestSections(t *testing.T) {
	t.Parallel()
	rep := report.New(report.Request{Project: "größe", Deployment: "prod", Highstate: true})
	when := time.Unix(1_800_000_000, 0)
	for _, id := range []string{"web/1", "web:1", strings.Repeat("x", 300)} {
		runs.Add(t, rep.Targets[0], client.Event{Name: client.HighstateUpdate, Minion: id, Time: when, Result: json.RawMessage(`{"ret": {"a_|-b_|-c_|-d": {"result": true, "duration": 90000}}}`)})
	}
	rep.Targets[0].Finish(nil)
	got := text(t, rep, view.TextOptions{Log: view.GitLab})
	names := map[string]bool{}
	for _, found := range regexp.MustCompile(`section_start:(\d+):([^\[\r]*)\[`).FindAllStringSubmatch(got, -1) {
		names[found[2]] = true
		if found[1] != "1799999910" || !strings.Contains(got, "section_end:1800000000:"+found[2]+"\r") {
			t.Errorf("section %q", found)
		}
	}
	if len(names) != 3 {
		t.Errorf("%d names of sections in %q", len(names), got)
	}
}

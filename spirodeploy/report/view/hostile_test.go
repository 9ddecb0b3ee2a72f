package view_test

import (
	"bytes"
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// nasty are texts that could act as markup or commands. Each contains a word to find it
// by.
var nasty = []string{
	`</script><script>alert("evil")</script>`, `<!--<script>evil`, `]]><evil/>`, `"><img src=x onerror=evil()>`, `' onfocus='evil`,
	"```\n\n# evil\n~~~\n````", "| evil | @evil #1 evil/evil#1 [evil](https://evil) ![](https://evil) https://evil www.evil.com evil@evil.com",
	"\x1b[2Jevil\u202e\u2028\u2029\x00\x80\ufffe\uffff\ufeff", "{{.evil}}", "</details></td></table>evil", "</title></style></pre><h1>evil</h1>", "&lt;evil&gt;", "\\`evil\\`\\", "evil-\n=====\n\n1. a\n\n    code\n<!-- -->",
	"evil\n[[ATTACHMENT|/etc/evil]]\n[[PROPERTY|url=https://evil]] [[[attachment|evil]]", "evil ##vso[task.setvariable variable=evil]x ###TeamCity[buildStatus text='evil'] ##[error]evil #\ufe0f#vso[evil]",
	":evil: ~~evil~~ **evil** _evil_ $evil$ <evil@evil.com> <https://evil>",
}

// marker finds commands that no view except JSON may contain.
var marker = regexp.MustCompile(`(?i)##(vso|teamcity)?\[|\[\[(attachment|property)\|`)

// TestMarkers: no view contains what readers of logs or reports take for a command.
func TestMarkers(t *testing.T) {
	t.Parallel()
	rep := hostile(t)
	for name, write := range everyView {
		var out bytes.Buffer
		if err := write(&out, rep); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		switch name {
		case "json", "ndjson", "html":
			continue // they have what was said; nothing acts on it there
		case "junit":
			text = html.UnescapeString(text)
		}
		if found := marker.FindString(text); found != "" {
			t.Errorf("%s has %q in it", name, found)
		}
	}
}

// hostile is the report of a run in which every text is one of those, or a nasty
// one, and in which states have equal names.
func hostile(t testing.TB, texts ...string) *report.Report {
	t.Helper()
	if len(texts) == 0 {
		texts = nasty
	}
	rep := report.New(report.Request{Server: texts[0], Project: texts[len(texts)/2], Deployment: texts[len(texts)-1], Highstate: true, RequireMinions: true})
	target := rep.Targets[0]
	for _, text := range texts {
		target.Warn(text)
		runs.Add(t, target, client.Event{Name: text, Msg: text, Minion: text, Data: text, Time: time.Unix(1700000000, 0)})
		quoted, err := json.Marshal(strings.ToValidUTF8(text, "?"))
		if err != nil {
			t.Fatal(err)
		}
		q := string(quoted)
		state := func(result string) string {
			return `{"__id__": ` + q + `, "name": ` + q + `, "__sls__": ` + q + `, "result": ` + result + `, "comment": ` + q + `, "start_time": ` + q +
				`, "changes": {` + q + `: ` + q + `, "diff": ` + q + `}, "warnings": [` + q + `]}`
		}
		// Tags differ where names do not.
		raw := `{"ret": {"m_|-a_|-b_|-f": ` + state("false") + `, "m_|-a_|-c_|-f": ` + state("null") + `, "m_|-a_|-d_|-f": ` + state("true") + `, ` + q + `: ` + state("false") + `}, "retcode": 2}`
		runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: text, Msg: text, Time: time.Unix(1700000100, 0), Result: json.RawMessage(raw)})
		runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: "x" + text, Msg: text, Time: time.Unix(1700000100, 0), Result: json.RawMessage(`{"ret": [` + q + `], "retcode": 1}`)})
		runs.Add(t, target, client.Event{Name: client.HighstateStart, Minions: []string{"y" + text}})
	}
	runs.Add(t, target, client.Event{Name: client.Exception, Msg: strings.Join(texts, "\n")})
	target.Finish(nil)
	rep.Finish()
	return rep
}

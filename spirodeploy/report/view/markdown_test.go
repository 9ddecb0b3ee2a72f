package view_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/runs"
	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

func TestMarkdownRecorded(t *testing.T) {
	t.Parallel()
	times := regexp.MustCompile(`(\*\*(Started|Took):\*\*) .*`)
	for _, name := range streams.All {
		rep := runs.Fold(streams.Read(name), name != "no-highstate", nil)
		pinned(t, name+".md", []byte(times.ReplaceAllString(runs.Show(t, rep, "markdown"), "$1 TIME")))
	}
}

// TestMarkdownHostile: no text outside of code blocks contains markup, and no text ends a
// code block.
func TestMarkdownHostile(t *testing.T) {
	t.Parallel()
	inert(t, runs.Show(t, hostile(t), "markdown"))
}

// inert fails unless every text from elsewhere stays text in Markdown.
func inert(t *testing.T, text string) {
	t.Helper()
	if sanitize.Text(text) != text {
		t.Errorf("it acts on a terminal: %q", text)
	}
	code := regexp.MustCompile(`<code>[^<>@` + "`" + `|\\\[\]*_~$:#.!&]*(&#\d+;[^<>@` + "`" + `|\\\[\]*_~$:#.!&]*)*</code>`)
	own := regexp.MustCompile(`^(### [✅❌]  ?: [a-z ]+|(</details>)?|\| Minion \|.*|\|---.*|\|  \| [✅❌❔] [a-z ]+ \|[ \d|]*\| [\d.]+ m?s \||- \*\*[A-Z][a-z ]+:\*\* [\w :.,-]*|⚠️ |#### ❌ (, )*( and [\d,]+ more)?( \([\d,]+ minions\))?|- \*\*\*\*(, SLS )?|<details><summary>\d+ minions?</summary>|And .* more.*|What .* did .*)$`)
	fence := ""
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimLeft(line, " ")
		switch {
		case fence == "" && strings.HasPrefix(trimmed, "```"):
			fence = trimmed
		case fence != "" && strings.HasPrefix(trimmed, fence) && strings.Trim(trimmed, "`") == "":
			fence = ""
		case fence == "":
			if rest := code.ReplaceAllString(line, ""); !own.MatchString(rest) {
				t.Errorf("the line %q is not code and nothing of ours: %q", line, rest)
			}
		}
	}
	if fence != "" {
		t.Errorf("a code block of %s does not end", fence)
	}
}

// TestMarkdownFits: Markdown is never longer than GitHub takes, and says what it leaves
// out.
func TestMarkdownFits(t *testing.T) {
	t.Parallel()
	rep := report.New(report.Request{Project: "shop", Deployment: "prod", Highstate: true, Server: strings.Repeat("x", 5000)})
	target := rep.Targets[0]
	for i := range 3000 {
		id := strings.Repeat("@", 300) + strings.Repeat("m", i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		runs.Add(t, target, client.Event{Name: client.HighstateUpdate, Minion: id, Result: runs.Result(id, 1000, true)})
	}
	target.Finish(nil)
	rep.Finish()
	text := runs.Show(t, rep, "markdown")
	inert(t, text)
	if len(text) > 900<<10 || len(text) < 500<<10 {
		t.Errorf("it has %d bytes", len(text))
	}
	for _, want := range []string{"more, which have no room here.", "has no room here, or not all of it", "<details><summary>3000 minions</summary>"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, most := range []int{2 << 10, 10 << 10, 100 << 10} {
		var out bytes.Buffer
		if err := view.MarkdownIn(&out, rep, most); err != nil || out.Len() > most || !strings.Contains(out.String(), "❌") {
			t.Errorf("with room for %d bytes it has %d, %v", most, out.Len(), err)
		}
		if strings.Count(out.String(), "<details>") != strings.Count(out.String(), "</details>") {
			t.Errorf("with room for %d bytes, something does not end", most)
		}
		inert(t, out.String())
	}
}

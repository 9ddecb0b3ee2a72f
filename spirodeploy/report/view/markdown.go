package view

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Limits of the Markdown. GitHub takes up to 1 MiB for the summary of a step.
const (
	maxMarkdown = 900 << 10 // in bytes
	maxUnfolded = 20        // rows of a table that is not folded
	maxRows     = 2000      // of a table
	maxFenced   = 8 << 10   // of the text of a state, in bytes before escapes
)

// Markdown writes a summary in GitHub's Markdown, for the file that GITHUB_STEP_SUMMARY
// names: the verdict, the minions, and the states that failed. It has at most 900 KiB, and
// says what it leaves out.
func Markdown(w io.Writer, r *report.Report) error { return MarkdownIn(w, r, maxMarkdown) }

// MarkdownIn is [Markdown] with a limit in bytes.
func MarkdownIn(w io.Writer, r *report.Report, most int) error {
	most = min(most, maxMarkdown)
	m := &markdown{out: bufio.NewWriterSize(w, 64<<10)} // which remembers the first error
	for i, t := range r.Targets {
		// A target leaves its spare room to the next ones.
		m.room = (most - m.written) / (len(r.Targets) - i)
		m.target(t)
	}
	return m.out.Flush()
}

// markdown writes Markdown while there is room.
type markdown struct {
	out     *bufio.Writer
	room    int
	written int
	results report.Results
}

// put writes Markdown if there is room for all of it, and reports whether there was.
func (m *markdown) put(text string) bool {
	if len(text) > m.room {
		return false
	}
	m.room -= len(text)
	m.written += len(text)
	_, _ = m.out.WriteString(text)
	return true
}

func (m *markdown) target(t *report.Target) {
	mark := "✅"
	if t.Verdict != report.Success {
		mark = "❌"
	}
	m.put(fmt.Sprintf("### %s %s: %s\n\n", mark, inert(t.Title()), headline(t)))
	m.put(fence(t.Summary, "") + "\n")
	var list strings.Builder
	for _, f := range facts(t) {
		value := f.Value
		if f.Foreign {
			value = inert(value)
		}
		fmt.Fprintf(&list, "- **%s:** %s\n", f.Name, value)
	}
	m.put(list.String() + "\n")
	for _, warning := range first(t.Warnings, maxUnfolded) {
		m.put("⚠️ " + inert(warning) + "\n\n")
	}
	if left := len(t.Warnings) - maxUnfolded; left > 0 {
		m.put(fmt.Sprintf("And %s.\n\n", human.Plural(left, "more warning")))
	}
	m.minions(t)
	m.failures(t)
}

// minions writes a table of the minions. Those that failed come first.
func (m *markdown) minions(t *report.Target) {
	if len(t.Minions) == 0 {
		return
	}
	const end = "</details>\n\n"
	fold := len(t.Minions) > maxUnfolded
	if fold {
		m.room -= len(end)
		if !m.put(fmt.Sprintf("<details><summary>%s</summary>\n\n", human.Plural(len(t.Minions), "minion"))) {
			m.room += len(end)
			return
		}
		defer func() {
			m.room += len(end)
			m.put(end)
		}()
	}
	m.put("| Minion | | States | Changed | Would change | Failed | Time |\n|---|---|--:|--:|--:|--:|--:|\n")
	rows, rest := 0, m.room/3 // which is for the states
	for _, minion := range first(failedFirst(t), maxRows) {
		c, look := minion.Counts, statuses[minion.Status]
		row := fmt.Sprintf("| %s | %s %s | %d | %d | %d | %d | %s |\n", inert(minion.ID), look.emoji, look.Words,
			c.Total, c.Changed, c.Pending, c.Failed, seconds(c.Duration))
		if m.room-len(row) < rest || !m.put(row) {
			break
		}
		rows++
	}
	if left := len(t.Minions) - rows; left > 0 {
		m.put(fmt.Sprintf("\nAnd %s more, which have no room here.\n", human.Thousands(left)))
	}
	m.put("\n")
}

// failures writes what failed, once for minions that failed in the same way.
func (m *markdown) failures(t *report.Target) {
	const spare = 1 << 10 // to say what is left out
	left := 0
	m.room -= spare
	for _, g := range failuresOf(t) {
		if !g.silent() && (left > 0 || !m.failure(g)) {
			left += len(g.minions)
		}
	}
	m.room += spare
	if left > 0 {
		m.put(fmt.Sprintf("What %s did has no room here, or not all of it: the other reports have it.\n", human.Plural(left, "more failed minion")))
	}
}

// failure writes why minions failed, and reports whether there was room for all of it.
func (m *markdown) failure(g *group) bool {
	r, err := m.results.Telling(g.first())
	if !m.put(fmt.Sprintf("#### ❌ %s\n\n", g.names(maxUnfolded, inert))) {
		return false
	}
	if err != nil && !m.put("What its states did is missing: "+inert(err.Error())+"\n\n") {
		return false
	}
	for _, message := range r.Messages {
		if !m.put(fence(message, "") + "\n") {
			return false
		}
	}
	for s, because := range explained(r.States, isBad) {
		of := ""
		if s.SLS != "" {
			of = ", SLS " + inert(s.SLS)
		}
		text := "- **" + inert(title(s)) + "**" + of + "\n\n" + fence(saying(s, because), "  ") + "\n"
		if !m.put(text) {
			return false
		}
	}
	return true
}

var (
	punctuation = regexp.MustCompile("[[:punct:]]")
	backticks   = regexp.MustCompile("`+")
)

// inert returns Markdown that shows a text on one line and does nothing else. Every
// parser takes its escapes for text, and GitHub does not look for people, issues and
// commits in code.
func inert(s string) string {
	return "<code>" + punctuation.ReplaceAllStringFunc(oneLine(s), func(c string) string {
		if strings.ContainsRune(",;()'-%?=/", rune(c[0])) {
			return c
		}
		return fmt.Sprintf("&#%d;", c[0])
	}) + "</code>"
}

// fence returns a text as a code block indented by pad, which no text can end.
func fence(s, pad string) string {
	s = trimRight(sanitize.Text(sanitize.Clip(s, maxFenced)))
	ticks := 3
	for _, run := range backticks.FindAllString(s, -1) {
		ticks = max(ticks, len(run)+1)
	}
	edge := pad + strings.Repeat("`", ticks) + "\n"
	lines := each(strings.Split(s, "\n"), func(line string) string { return strings.TrimRight(pad+line, " ") + "\n" })
	return edge + strings.Join(lines, "") + edge
}

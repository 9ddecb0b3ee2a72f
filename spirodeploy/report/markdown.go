package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Limits of the Markdown. GitHub takes no summary of a step that has over 1 MiB.
const (
	maxMarkdown = 900 << 10 // in bytes
	maxUnfolded = 20        // rows of a table that is not folded
	maxRows     = 2000      // of a table
	maxFenced   = 8 << 10   // of what one state says, in bytes as they came
)

// WriteMarkdown writes a summary in GitHub's Markdown, such as the file that
// GITHUB_STEP_SUMMARY names is to have: the verdict, the minions, and the states
// that failed. It is never longer than 900 KiB, and says what is left out. The
// errors are those of w.
func (r *Report) WriteMarkdown(w io.Writer) error { return r.WriteMarkdownIn(w, maxMarkdown) }

// WriteMarkdownIn is [Report.WriteMarkdown] with no more than a number of bytes,
// and no more than 900 KiB.
func (r *Report) WriteMarkdownIn(w io.Writer, most int) error {
	most = min(most, maxMarkdown)
	m := &markdown{out: bufio.NewWriterSize(w, 64<<10)} // which remembers the first error
	for i, t := range r.Targets {
		// What one target leaves is for those after it.
		m.room = (most - m.written) / (len(r.Targets) - i)
		m.target(t)
	}
	return m.out.Flush()
}

// markdown writes Markdown while there is room for it.
type markdown struct {
	out     *bufio.Writer
	room    int
	written int
	buf     []byte // for the details of minions
}

// put writes a text that is Markdown, all of it or nothing, and reports whether
// there was room.
func (m *markdown) put(text string) bool {
	if len(text) > m.room {
		return false
	}
	m.room -= len(text)
	m.written += len(text)
	_, _ = m.out.WriteString(text)
	return true
}

func (m *markdown) target(t *Target) {
	mark := "✅"
	if t.Verdict != Success {
		mark = "❌"
	}
	m.put(fmt.Sprintf("### %s %s: %s\n\n", mark, inert(t.title()), t.headline()))
	m.put(fence(t.Summary, "") + "\n")
	var facts []string
	for _, f := range t.facts() {
		value := f.value
		if f.foreign {
			value = inert(value)
		}
		facts = append(facts, fmt.Sprintf("- **%s:** %s\n", f.name, value))
	}
	m.put(strings.Join(facts, "") + "\n")
	for i, warning := range t.Warnings {
		if i == maxUnfolded {
			m.put(fmt.Sprintf("And %s.\n\n", plural(len(t.Warnings)-i, "more warning")))
			break
		}
		m.put("⚠️ " + inert(warning) + "\n\n")
	}
	m.minions(t)
	m.failures(t)
}

// minions writes a table of the minions, those that failed first.
func (m *markdown) minions(t *Target) {
	if len(t.Minions) == 0 {
		return
	}
	const end = "</details>\n\n"
	fold := len(t.Minions) > maxUnfolded
	if fold {
		m.room -= len(end)
		if !m.put(fmt.Sprintf("<details><summary>%s</summary>\n\n", plural(len(t.Minions), "minion"))) {
			m.room += len(end)
			return
		}
		defer func() {
			m.room += len(end)
			m.put(end)
		}()
	}
	m.put("| Minion | | States | Changed | Would change | Failed | Time |\n|---|---|--:|--:|--:|--:|--:|\n")
	rows, rest := 0, m.room/3 // which is for what the states say
	for minion := range t.failedFirst() {
		c := minion.Counts
		row := fmt.Sprintf("| %s | %s %s | %d | %d | %d | %d | %s |\n", inert(minion.ID), statusMarks[minion.Status], statusWords[minion.Status],
			c.Total, c.Changed, c.Pending, c.Failed, seconds(c.Duration))
		if rows == maxRows || m.room-len(row) < rest || !m.put(row) {
			break
		}
		rows++
	}
	if left := len(t.Minions) - rows; left > 0 {
		m.put(fmt.Sprintf("\nAnd %s more, which have no room here.\n", human.Thousands(left)))
	}
	m.put("\n")
}

// failures writes what went wrong: for minions that failed alike, once.
func (m *markdown) failures(t *Target) {
	const spare = 1 << 10 // to say what is left out
	left := 0
	for _, g := range t.failures() {
		if g.silent() {
			continue
		}
		if left > 0 {
			left += len(g.minions)
			continue
		}
		m.room -= spare
		if !m.failure(g) {
			left += len(g.minions)
		}
		m.room += spare
	}
	if left > 0 {
		m.put(fmt.Sprintf("What %s did has no room here, or not all of it: the other reports have it.\n", plural(left, "more failed minion")))
	}
}

// failure writes why minions failed. It reports whether there was room for all of
// it.
func (m *markdown) failure(g *group) bool {
	r, err := g.first().readTelling(&m.buf)
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
	causes := causesOf(r.States)
	for i := range r.States {
		s := &r.States[i]
		if s.Outcome != highstate.Bad {
			continue
		}
		of := ""
		if s.SLS != "" {
			of = ", SLS " + inert(s.SLS)
		}
		text := "- **" + inert(title(s)) + "**" + of + "\n\n" + fence(strings.Join(sayings(s, causes.because(s)), "\n\n"), "  ") + "\n"
		if !m.put(text) {
			return false
		}
	}
	return true
}

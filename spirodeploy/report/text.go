package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// TextOptions say how a summary for people is to look.
type TextOptions struct {
	// Detail says how much it tells; default: Normal.
	Detail Detail
	// Color colours it as Salt does, with the escape sequences of ANSI; default: not.
	Color bool
	// Log folds it for the log of a CI service; default: none.
	Log Log
}

// Detail says how much of a run is told to people.
type Detail string

// The amounts of detail.
const (
	Normal  Detail = ""        // what changed or failed
	Quiet   Detail = "quiet"   // the verdict alone
	Verbose Detail = "verbose" // every state
)

// Log names a CI service whose log folds.
type Log string

// The logs that fold.
const (
	GitHub Log = "github"
	GitLab Log = "gitlab"
)

// WriteText writes a summary in the manner of Salt's: for each minion the states
// that failed or changed something and their numbers, then the verdict. The
// errors are those of w.
func (r *Report) WriteText(w io.Writer, _ TextOptions) error {
	b := bufio.NewWriterSize(w, 64<<10) // which remembers the first error
	for _, t := range r.Targets {
		t.writeText(b)
	}
	return b.Flush()
}

func (t *Target) writeText(b *bufio.Writer) {
	for _, c := range t.Bundle.Contents {
		fmt.Fprintln(b, c)
	}
	var buf []byte
	for _, m := range t.Minions {
		m.writeText(b, &buf)
		fmt.Fprintln(b)
	}
	if missing := t.named(highstate.Unreported); missing != "" {
		fmt.Fprintf(b, "Minions that did not report: %s\n\n", missing)
	}
	if t.Bundle.Digest != "" {
		fmt.Fprintf(b, "Bundle:  %s\n", t.Bundle.Digest)
	}
	verdict := "Success"
	if t.Verdict != Success {
		verdict = "FAILURE"
	}
	fmt.Fprintf(b, "%s: %s\n", verdict, t.Summary)
}

// String returns the entry as a line of a listing: its size, an x where it is
// executable, its name, and where a link leads.
func (c Content) String() string {
	mark := " "
	if c.Executable {
		mark = "x"
	}
	line := fmt.Sprintf("%12d %s %s", c.Size, mark, plain.Line(c.Name))
	if c.Link != "" {
		line += " -> " + plain.Line(c.Link)
	}
	return line
}

func (m *Minion) writeText(b *bufio.Writer, buf *[]byte) {
	id := plain.Line(m.ID)
	fmt.Fprintf(b, "%s:\n", id)
	if m.Status == highstate.Unreported {
		fmt.Fprintln(b, "    did not report")
		return
	}
	r, err := m.readTelling(buf)
	if err != nil {
		fmt.Fprintf(b, "    what its states did is missing: %s\n", plain.Line(err.Error()))
	}
	for _, msg := range r.Messages {
		fmt.Fprintf(b, "    %s\n", indent(shown(msg), "    "))
	}
	for _, s := range r.States {
		if s.Telling() {
			writeState(b, s)
		}
	}
	c := m.Counts
	if c.Total == 0 {
		return
	}
	var of []string
	if c.Pending > 0 {
		of = append(of, fmt.Sprintf("unchanged=%d", c.Pending)) // Salt's word for what would change
	}
	if c.Changed > 0 {
		of = append(of, fmt.Sprintf("changed=%d", c.Changed))
	}
	succeeded := fmt.Sprintf("Succeeded: %d", c.Succeeded)
	if len(of) > 0 {
		succeeded += " (" + strings.Join(of, ", ") + ")"
	}
	const rule = "    -------------"
	fmt.Fprintf(b, "    Summary for %s\n%s\n    %s\n    Failed:    %d\n%s\n    Total states run:     %d\n    Total run time:    %s\n",
		id, rule, succeeded, c.Failed, rule, c.Total, seconds(c.Duration))
}

// writeState writes a state as Salt's highstate outputter does, less what is empty.
func writeState(b *bufio.Writer, s highstate.State) {
	fmt.Fprintln(b, "    ----------")
	field := func(name, value string) {
		if value = strings.TrimSpace(shown(value)); value != "" {
			fmt.Fprintf(b, "    %12s: %s\n", name, strings.TrimLeft(indent(value, "                  "), " "))
		}
	}
	field("ID", s.ID)
	field("Function", s.Function)
	if s.Name != s.ID {
		field("Name", s.Name)
	}
	field("SLS", s.SLS)
	field("Result", resultWords[s.Outcome])
	field("Comment", s.Comment)
	for _, warning := range s.Warnings {
		field("Warning", warning)
	}
	field("Duration", seconds(s.Duration))
	field("Changes", changes(s.Changes))
}

// shown returns the beginning of a text, harmless. The JSON report has all of it.
func shown(s string) string { return plain.Text(plain.Clip(s, maxShown)) }

// resultWords are Salt's.
var resultWords = map[highstate.Outcome]string{
	highstate.OK: "True", highstate.Changed: "True", highstate.Pending: "None", highstate.Bad: "False",
}

// changes returns a state's changes as indented text: the one way that fits the
// changes of every state module, which may be anything. Large ones stay JSON.
func changes(raw json.RawMessage) string {
	var v any
	if len(raw) > maxShown {
		return string(raw[:maxShown]) + plain.Clip(rawjson.View(raw[maxShown:]), 0)
	}
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return ""
	}
	var b strings.Builder
	writeValue(&b, "", v)
	return b.String()
}

func writeValue(b *strings.Builder, pad string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			b.WriteString(pad + key + ":")
			writeMember(b, pad, v[key])
		}
	case []any:
		for _, item := range v {
			b.WriteString(pad + "-")
			writeMember(b, pad, item)
		}
	default:
		b.WriteString(pad + scalar(v) + "\n")
	}
}

// writeMember writes a short value on the line of its key, others below it.
func writeMember(b *strings.Builder, pad string, v any) {
	switch v := v.(type) {
	case map[string]any, []any:
		b.WriteByte('\n')
		writeValue(b, pad+"  ", v)
	default:
		s := strings.TrimRight(scalar(v), "\n")
		if strings.Contains(s, "\n") {
			b.WriteString("\n" + pad + "  " + indent(s, pad+"  ") + "\n")
			return
		}
		b.WriteString(strings.TrimRight(" "+s, " ") + "\n")
	}
}

func scalar(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// indent puts pad before every line but the first and empty ones.
func indent(s, pad string) string {
	s = strings.ReplaceAll(s, "\n", "\n"+pad)
	return strings.ReplaceAll(s, "\n"+pad+"\n", "\n\n")
}

func seconds(m highstate.Milliseconds) string {
	d := time.Duration(m)
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

func firstLine(messages []string) string {
	if len(messages) == 0 {
		return "Salt gives no reason"
	}
	line, _, _ := strings.Cut(strings.TrimSpace(messages[0]), "\n")
	return line
}

func trimRight(s string) string { return strings.TrimRight(s, "\n\t ") }

package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/sanitize"
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
	Normal  Detail = ""        // what changed or failed, in less than 200 lines
	Quiet   Detail = "quiet"   // the verdict alone
	Verbose Detail = "verbose" // every state
)

// Limits of a summary that is not verbose, in lines. A dry run lists all entries.
const (
	maxFull    = 180 // of minions, in full
	maxSummary = 199
	maxVerdict = 40
	maxTail    = 6 // the note on what is left out, names, totals, digest, and what is between
)

// WriteText writes a summary in the manner of Salt's: for each minion the states
// that failed or changed something and their numbers, then the verdict; minions
// that failed come last. Where that is long, minions that did the same are told
// together, with a line for a state. The errors are those of w.
func (r *Report) WriteText(w io.Writer, o TextOptions) error {
	p := &printer{w: bufio.NewWriterSize(w, 64<<10), palette: palette(o.Color), log: o.Log}
	for _, t := range r.Targets {
		if len(r.Targets) > 1 && o.Detail != Quiet {
			p.print("", fmt.Sprintf("# %s: %s on %s", sanitize.Line(t.Name), sanitize.Line(t.Saltenv), sanitize.Line(t.Server)))
		}
		t.writeText(p, o.Detail, maxSummary/max(1, len(r.Targets)))
		if len(r.Targets) > 1 && o.Detail != Quiet {
			p.print("", "")
		}
	}
	if len(r.Targets) > 1 {
		p.all(r.verdictLines())
	}
	return p.w.Flush()
}

// verdictLines returns the verdict on all targets.
func (r *Report) verdictLines() []line {
	if r.Verdict == Success {
		return []line{{boldGreen, fmt.Sprintf("Success: %d targets", len(r.Targets))}}
	}
	var failed []string
	skipped := 0
	for _, t := range r.Targets {
		switch t.Verdict {
		case Success:
		case NotStarted:
			skipped++
		default:
			failed = append(failed, sanitize.Line(t.Name))
		}
	}
	if len(failed) == 0 {
		return []line{{boldRed, fmt.Sprintf("FAILURE: %d of %d targets not begun", skipped, len(r.Targets))}}
	}
	text := fmt.Sprintf("FAILURE: %d of %d targets: %s", len(failed), len(r.Targets), strings.Join(failed, ", "))
	if skipped > 0 {
		text += fmt.Sprintf("; %d not begun", skipped)
	}
	return []line{{boldRed, text}}
}

// writeText writes a target, in Normal into so many lines if that can be.
func (t *Target) writeText(p *printer, detail Detail, most int) {
	verdict := t.verdictLines()
	if detail == Quiet {
		p.all(verdict)
		return
	}
	if t.DryRun {
		t.writeDryRun(p)
	}
	if detail == Normal && len(verdict) > maxVerdict {
		verdict = middleOut(verdict, maxVerdict)
	}
	var failures []*group // which the log is to have as annotations
	if p.log == GitHub {
		failures = t.failures()
	}
	folded := false
	if detail == Normal {
		// One of many targets may have no room for its minions; what failed has some.
		const least = minGroup + 2
		room := most - maxTail - len(verdict) - annotations(failures)
		if t.Verdict != Success {
			room = max(room, least)
		}
		folded = t.isLongerThan(min(max(room, 1), maxFull), p.log)
		if folded && room >= least {
			t.writeFolded(p, t.groups(), room)
		}
	}
	if !folded {
		t.writeMinions(p, detail == Verbose)
		if missing := t.named(highstate.Unreported); missing != "" {
			p.print(inRed, "Minions that did not report: "+missing)
			p.print("", "")
		}
	}
	if p.log == GitHub {
		t.annotate(p, failures)
	}
	t.writeTotals(p)
	if t.Bundle.Digest != "" {
		p.print("", "Bundle:  "+sanitize.Line(t.Bundle.Digest.String()))
	}
	p.all(verdict)
}

// isLongerThan reports whether the minions in full take more lines.
func (t *Target) isLongerThan(most int, log Log) bool {
	counter := printer{w: bufio.NewWriterSize(io.Discard, 1<<10), log: log, most: most}
	t.writeMinions(&counter, false)
	return counter.full()
}

// writeTotals writes a line for all minions together, if there are several.
func (t *Target) writeTotals(p *printer) {
	if len(t.Minions) < 2 {
		return
	}
	var bad []string
	silent := t.count(highstate.Unreported)
	if failed := len(t.Minions) - t.count(highstate.Succeeded) - silent; failed > 0 {
		bad = append(bad, fmt.Sprintf("%d failed", failed))
	}
	if silent > 0 {
		bad = append(bad, fmt.Sprintf("%d did not report", silent))
	}
	text := fmt.Sprintf("Total:   %d minions", len(t.Minions))
	if len(bad) > 0 {
		text += " (" + strings.Join(bad, ", ") + ")"
	}
	c := t.totals()
	p.print("", fmt.Sprintf("%s, %s. %s, Failed: %d", text, plural(c.Total, "state"), succeeded(c), c.Failed))
}

// verdictLines returns the verdict, most often in one line.
func (t *Target) verdictLines() []line {
	verdict, c := "Success", boldGreen
	if t.Verdict != Success {
		verdict, c = "FAILURE", boldRed
	}
	if t.Name != "" {
		verdict = "[" + sanitize.Line(t.Name) + "] " + verdict
	}
	var lines []line
	for text := range strings.SplitSeq(verdict+": "+t.Summary, "\n") {
		lines = append(lines, line{c, text})
	}
	return lines
}

// middleOut returns both ends of lines: a traceback of Python has the reason at
// its end.
func middleOut(lines []line, most int) []line {
	head, tail := lines[:most/2], lines[len(lines)-most/2+1:]
	left := line{lines[0].color, "… " + plural(len(lines)-len(head)-len(tail), "line") + " …"}
	return append(append(append([]line(nil), head...), left), tail...)
}

// String returns the entry as a line of a listing: its size, an x where it is
// executable, its name, and where a link leads.
func (c Content) String() string {
	mark := " "
	if c.Executable {
		mark = "x"
	}
	text := fmt.Sprintf("%12d %s %s", c.Size, mark, sanitize.Line(c.Name))
	if c.Link != "" {
		text += " -> " + sanitize.Line(c.Link)
	}
	return text
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
	text, _, _ := strings.Cut(strings.TrimSpace(messages[0]), "\n")
	return text
}

func trimRight(s string) string { return strings.TrimRight(s, "\n\t ") }

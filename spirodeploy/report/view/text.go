package view

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// TextOptions are the options of [Text].
type TextOptions struct {
	// Detail is how much it shows; default: Normal.
	Detail Detail
	// Color colours it as Salt does, with the escape sequences of ANSI; default: no colours.
	Color bool
	// Terminal puts each part of an error on a line of its own; default: one line.
	Terminal bool
	// Log folds it for the log of a CI service; default: none.
	Log Log
	// File returns the path of the file of an SLS, or "", for the annotations of GitHub;
	// default: annotations name no file.
	File func(sls string) string
}

// Detail is how much of a run a text shows.
type Detail string

// Amounts of detail.
const (
	Normal  Detail = ""        // what changed or failed, in less than 200 lines
	Quiet   Detail = "quiet"   // the verdict
	Verbose Detail = "verbose" // every state
)

// Limits of a summary that is not verbose, in lines. A dry run lists all entries.
const (
	maxFull    = 180 // of minions, in full
	maxSummary = 199
	maxVerdict = 40
	maxTail    = 6 // the note about what is left out, names, totals, digest, and empty lines
)

// Text writes a summary like that of Salt: for each minion, the states that failed or
// changed something and their counts, and then the verdict. Minions that failed come
// last. A long summary shows minions that did the same together, and each state in a
// line.
func Text(w io.Writer, r *report.Report, o TextOptions) error {
	p := &printer{w: bufio.NewWriterSize(w, 64<<10), palette: palette(o.Color), log: o.Log}
	several := len(r.Targets) > 1
	texts := make([]*text, len(r.Targets))
	fold := false // all targets, if one of them is too long
	for i, t := range r.Targets {
		texts[i] = &text{printer: p, Target: t, TextOptions: o, spell: r.Spell}
		texts[i].plan(maxSummary / len(r.Targets))
		fold = fold || texts[i].long
	}
	for i, t := range r.Targets {
		if several && o.Detail != Quiet {
			p.print("", fmt.Sprintf("# %s: %s on %s", sanitize.Line(t.Name), sanitize.Line(t.Saltenv), sanitize.Line(t.Server)))
		}
		texts[i].write(fold)
		if several && o.Detail != Quiet {
			p.print("", "")
		}
	}
	if several {
		p.print(verdictColor(r.Verdict), r.Summary())
	}
	return p.w.Flush()
}

// text writes a target.
type text struct {
	*printer
	*report.Target
	TextOptions
	spell   fault.Speller
	results report.Results

	// What plan finds out.
	verdict  []line
	failures []*group // to annotate in the log
	room     int      // lines for the minions if they are folded
	long     bool     // whether the minions in full take more
}

func verdictColor(v report.Verdict) color {
	if v == report.Success {
		return boldGreen
	}
	return boldRed
}

// minRoom is the room for one group and the note.
const minRoom = minGroup + 2

// plan prepares the target. In Normal detail it aims at no more than so many lines.
func (x *text) plan(most int) {
	x.verdict = x.verdictLines()
	if x.Detail == Quiet {
		return
	}
	if x.log == GitHub {
		x.failures = failuresOf(x.Target)
	}
	if x.Detail != Normal {
		return
	}
	if n := len(x.verdict); n > maxVerdict { // the reason of a Python traceback is at its end
		left := line{x.verdict[0].color, "… " + human.Plural(n-maxVerdict+1, "line") + " …"}
		x.verdict = slices.Concat(x.verdict[:maxVerdict/2], []line{left}, x.verdict[n-maxVerdict/2+1:])
	}
	// With many targets, there may be no room for the minions. Failures get some.
	x.room = most - maxTail - len(x.verdict) - annotations(x.failures)
	if x.Verdict != report.Success {
		x.room = max(x.room, minRoom)
	}
	x.long = x.isLongerThan(min(max(x.room, 1), maxFull))
}

// write writes the target, which is folded if it or another one is long.
func (x *text) write(fold bool) {
	if x.Detail == Quiet {
		x.all(x.verdict)
		return
	}
	if x.DryRun {
		x.dryRun()
	}
	folded := x.long || fold && x.room >= minRoom && len(x.Minions) > 0
	if folded && x.room >= minRoom {
		x.folded(groupsOf(x.Minions), x.room)
	}
	if !folded {
		x.minions()
		if missing := x.IDs(highstate.Unreported); len(missing) > 0 {
			x.print(inRed, "Minions that did not report: "+sanitize.Names(missing))
			x.print("", "")
		}
	}
	if x.log == GitHub {
		x.annotate(x.failures)
	}
	x.totals()
	if x.Bundle.Digest != "" {
		x.print("", "Bundle:  "+sanitize.Line(x.Bundle.Digest.String()))
		if x.Bundle.Origin != "" {
			x.print("", "From:    "+sanitize.Line(x.Bundle.Origin))
		}
	}
	x.all(x.verdict)
}

// isLongerThan reports whether the minions in full take more lines.
func (x *text) isLongerThan(most int) bool {
	counter := *x
	counter.printer = &printer{w: bufio.NewWriterSize(io.Discard, 1<<10), log: x.log, most: most}
	counter.minions()
	return counter.full()
}

// totals writes a line for all minions together if there are several.
func (x *text) totals() {
	if len(x.Minions) < 2 {
		return
	}
	silent := x.Count(highstate.Unreported)
	failed := len(x.Minions) - x.Count(highstate.Succeeded) - silent
	line := fmt.Sprintf("Total:   %d minions", len(x.Minions))
	if bad := joined(", ", ifAny(failed, fmt.Sprintf("%d failed", failed)), ifAny(silent, fmt.Sprintf("%d did not report", silent))); bad != "" {
		line += " (" + bad + ")"
	}
	c := x.Totals()
	x.print("", fmt.Sprintf("%s, %s. %s, Failed: %d", line, human.Plural(c.Total, "state"), succeeded(c), c.Failed))
}

// verdictLines returns the verdict, in most cases in one line.
func (x *text) verdictLines() []line {
	verdict := "FAILURE"
	if x.Verdict == report.Success {
		verdict = "Success"
	}
	if x.Name != "" {
		verdict = "[" + sanitize.Line(x.Name) + "] " + verdict
	}
	summary := x.Summary
	if x.Terminal {
		summary = x.Long()
	}
	return each(strings.Split(verdict+": "+summary, "\n"), func(text string) line { return line{verdictColor(x.Verdict), text} })
}

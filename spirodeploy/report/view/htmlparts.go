package view

import (
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Limits of the page, for all of its targets together. The texts of a run have
// their own.
const (
	maxPageFailures = 300      // states that are in the page itself, not in its data
	maxPageOpen     = 20       // of them that are not folded, but on paper
	maxPageMinions  = 2000     // rows of the table
	maxPageEvents   = 500      // and as many entries of a bundle
	maxPageWarned   = 50       // warnings of a target
	maxPageText     = 8 << 10  // of a text, in bytes as they came
	maxPageFirst    = 1 << 20  // of the page itself, in bytes of such texts
	maxPageName     = 1 << 10  // of a name, in bytes as they came
	maxPageChanges  = 64 << 10 // of changes that are taken apart, in bytes
)

// pageText returns the beginning of a text, harmless.
func pageText(s string) string { return sanitize.Text(sanitize.Clip(s, maxPageText)) }

// pageLine returns the beginning of a text that is to be on a line.
func pageLine(s string) string { return sanitize.Line(sanitize.Clip(s, maxPageName)) }

// pageLines shortens lines in place.
func pageLines(lines []string) []string {
	for i, s := range lines {
		lines[i] = pageLine(s)
	}
	return lines
}

// seal is a colour of the page with the mark that says the same.
type seal struct{ Colour, Mark string }

var (
	sealOK      = seal{"ok", "✓"}
	sealFailed  = seal{"failed", "✗"}
	sealPending = seal{"pending", "?"}
)

func sealOf(t *report.Target) seal {
	switch t.Verdict {
	case report.Success:
		return sealOK
	case report.Unknown, report.Interrupted:
		return sealPending
	case report.MinionFailed, report.Invalid, report.Refused, report.ServerFailed, report.Unreachable:
	}
	return sealFailed
}

type (
	// pageVerdict is the top of a target's section.
	pageVerdict struct {
		seal
		Index                      int
		Saltenv, Headline, Summary string
		Facts                      []pageFact
		Warnings                   []string
		Counts                     []pageCount
		Shares                     []pageShare
		Parts                      []string
	}
	pageFact struct {
		Name, Value, Class string
		Foreign            bool
	}
	pageCount struct{ Colour, Number, What string }
	pageShare struct {
		Colour   string
		X, Width float64
	}
)

func newPageVerdict(index int, t *report.Target) pageVerdict {
	headline := headline(t)
	v := pageVerdict{
		seal: sealOf(t), Index: index, Saltenv: pageLine(t.Title()), Summary: pageText(t.Summary),
		Headline: strings.ToUpper(headline[:1]) + headline[1:],
	}
	for _, f := range facts(t) {
		class := ""
		switch n := len(f.value); {
		case n > 64:
			class = "widest"
		case n > 24:
			class = "wide"
		}
		v.Facts = append(v.Facts, pageFact{f.name, pageLine(f.value), class, f.foreign})
	}
	for i, warning := range t.Warnings {
		if i == maxPageWarned {
			v.Warnings = append(v.Warnings, leftOut(len(t.Warnings)-i, "warning", "which have no place here"))
			break
		}
		v.Warnings = append(v.Warnings, pageText(warning))
	}
	if failed := len(t.Minions) - t.Count(highstate.Succeeded); len(t.Minions) > 0 {
		v.count(t, failed)
		if failed > 0 {
			v.Parts = append(v.Parts, "failures")
		}
		v.Parts = append(v.Parts, "timeline", "minions", "states")
	}
	if len(t.Events) > 0 {
		v.Parts = append(v.Parts, "events")
	}
	if t.Top != nil {
		v.Parts = append(v.Parts, "targets")
	}
	if len(t.Bundle.Contents) > 0 {
		v.Parts = append(v.Parts, "contents")
	}
	return v
}

// count fills in the numbers, and what of all states a bar shows.
func (v *pageVerdict) count(t *report.Target, failed int) {
	c := t.Totals()
	minions := pageCount{"", human.Thousands(len(t.Minions)), "minions"}
	if len(t.Minions) == 1 {
		minions.What = "minion"
	}
	v.Counts = append(v.Counts, minions)
	if failed > 0 {
		v.Counts = append(v.Counts, pageCount{"failed", human.Thousands(failed), "did not succeed"})
	}
	v.Counts = append(v.Counts, pageCount{"", human.Thousands(c.Total), "states"})
	x := 0.0
	for _, part := range []struct {
		colour, what string
		n            int
	}{
		{"failed", "failed", c.Failed},
		{"changed", "changed", c.Changed},
		{"pending", "would change", c.Pending},
		{"ok", "as they should be", c.Total - c.Failed - c.Changed - c.Pending},
	} {
		if part.n <= 0 {
			continue
		}
		v.Counts = append(v.Counts, pageCount{part.colour, human.Thousands(part.n), part.what})
		width := 1000 * float64(part.n) / float64(c.Total)
		v.Shares = append(v.Shares, pageShare{part.colour, x, width})
		x += width
	}
}

// pageMinion is a row of the table.
type pageMinion struct {
	seal
	ID, Status, Message, Duration string
	Counts                        highstate.Counts
}

// minions writes the rows of the table, and returns how many.
func (p *pageWriter) minions(t *report.Target, of int) int {
	n := 0
	for m := range failedFirst(t) {
		if n == maxPageMinions/of {
			break
		}
		n++
		row := pageMinion{seal: sealOK, ID: pageLine(m.ID), Status: statusWords[m.Status], Counts: m.Counts, Duration: seconds(m.Counts.Duration)}
		switch {
		case m.Status == highstate.Unreported:
			row.seal = sealPending
		case !m.OK():
			row.seal = sealFailed
		}
		if len(m.Messages) > 0 {
			row.Message = sanitize.Line(sanitize.Clip(firstLine(m.Messages), 300))
		}
		if m.Incomplete != "" {
			row.Message = pageLine("its states are missing: " + m.Incomplete)
		}
		p.part("minion", row)
	}
	return n
}

type (
	// pageRest is what follows the table of minions.
	pageRest struct {
		Index int
		Left  string
	}
	// pageEvents is the end of a target's section.
	pageEvents struct {
		Index                    int
		Events                   []pageEvent
		TopFile                  string
		Targets                  []string
		Contents                 []string
		LeftEvents, LeftContents string
	}
	pageEvent struct{ Time, Name, Text string }
)

// newPageEvents takes events and entries as far as there is room, which is for so
// many targets.
func newPageEvents(index int, t *report.Target, of int) pageEvents {
	e, most := pageEvents{Index: index}, max(1, maxPageEvents/of)
	for i, event := range t.Events {
		if i == most {
			e.LeftEvents = leftOut(len(t.Events)-i, "event", "which have no place here")
			break
		}
		text := strings.TrimSpace(event.Msg)
		if text == "" {
			text = strings.TrimSpace(event.Data)
		}
		e.Events = append(e.Events, pageEvent{clock(event.Time), pageLine(event.Name), pageLine(text)})
	}
	if t.Top != nil {
		e.TopFile = pageLine(t.Top.File)
		for _, l := range topLines(t.Top) {
			e.Targets = append(e.Targets, pageText(l))
		}
	}
	for i, c := range t.Bundle.Contents {
		if i == most {
			e.LeftContents = leftOut(len(t.Bundle.Contents)-i, "entry", "which have no place here")
			break
		}
		e.Contents = append(e.Contents, pageText(c.String()))
	}
	return e
}

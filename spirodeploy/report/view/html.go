package view

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"io"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Limits of a page, for all targets together.
const (
	maxPageFailures = 300     // failed states in the page itself, not in its data
	maxPageOpen     = 20      // of them that are unfolded
	maxPageFirst    = 2 << 20 // of these failures, in bytes
	maxPageMinions  = 2000    // rows of the table
	maxPageEvents   = 500     // and entries of a bundle
	maxPageWarned   = 50      // warnings of a target
	maxPageWarnings = 10      // warnings of a state, and messages of a minion
	maxPageText     = 8 << 10 // of a text, in bytes before escapes
	maxPageName     = 1 << 10 // of a name, in bytes before escapes
)

var (
	//go:embed html/page.css
	pageStyle string
	//go:embed html/page.js
	pageScript string
	//go:embed html/page.html.tmpl
	pageFiles embed.FS

	page = template.Must(template.New("").Funcs(template.FuncMap{
		"line": pageLine, "text": pageText, "seconds": seconds, "clock": clock, "topLines": topLines,
		"status": func(s highstate.Status) string { return statusWords[s] },
	}).ParseFS(pageFiles, "html/page.html.tmpl"))

	// pagePolicy allows the page its own style and script, and nothing else.
	pagePolicy = "default-src 'none'; style-src " + hashOf(pageStyle) + "; script-src " + hashOf(pageScript) + "; base-uri 'none'; form-action 'none'"
)

// hashOf returns the source expression of a policy that allows a text in the page.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pageText returns the beginning of a text.
func pageText(s string) string {
	return strings.TrimSpace(sanitize.Text(sanitize.Clip(s, maxPageText)))
}

// pageLine returns the beginning of a text in one line.
func pageLine(s string) string { return sanitize.Line(sanitize.Clip(s, maxPageName)) }

// pageTexts shortens the first texts of a list with a function.
func pageTexts(texts []string, most int, shorten func(string) string) []string {
	short := make([]string, 0, min(len(texts), most))
	for _, text := range texts[:min(len(texts), most)] {
		short = append(short, shorten(text))
	}
	return short
}

// HTML writes a report as a page that needs no other file and no network: verdict, what
// failed, a timeline, minions, states and events. The page of a large run has what failed
// first, then what changed, up to some MiB, and says what it leaves out.
func HTML(w io.Writer, r *report.Report) error {
	p := &pageWriter{out: bufio.NewWriterSize(w, 64<<10)} // which remembers the first error
	p.head(r)
	for i, t := range r.Targets {
		p.target(pageTarget{t, i, len(r.Targets)})
	}
	p.part("end", "Written by spirodeploy at "+clock(r.Finished)+".")
	p.text("<script>" + pageScript + "</script>\n</body>\n</html>\n")
	if p.err != nil {
		return p.err
	}
	return p.out.Flush()
}

// pageWriter writes a page part by part, since it may be large.
type pageWriter struct {
	out     *bufio.Writer
	err     error // the first one of a template
	results report.Results
}

// part writes a part of the page, and returns its size.
func (p *pageWriter) part(name string, data any) int {
	var b bytes.Buffer
	p.err = cmp.Or(p.err, page.ExecuteTemplate(&b, name, data))
	n, _ := p.out.Write(b.Bytes()) // Flush returns the error
	return n
}

func (p *pageWriter) text(s string) { _, _ = p.out.WriteString(s) }

// head writes everything before the first target. It uses no template, since the policy
// has the hashes of style and script.
func (p *pageWriter) head(r *report.Report) {
	title := "spirodeploy"
	for _, t := range r.Targets {
		title = sealOf(t.Verdict).Mark + " " + pageLine(t.Saltenv) + ": " + headline(t)
	}
	if n := len(r.Targets); n > 1 {
		title = human.Plural(n, "deployment") + ": " + headlines[r.Verdict]
	}
	p.text("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	p.text(fmt.Sprintf("<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n", pagePolicy))
	p.text("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n")
	p.text("<title>" + html.EscapeString(title) + "</title>\n<style>" + pageStyle + "</style>\n</head>\n<body>\n")
	p.part("nav", nil)
}

// target writes the section of a target.
func (p *pageWriter) target(t pageTarget) {
	p.part("verdict", t)
	if t.Failed() > 0 {
		p.part("failures", t.Index)
		p.failures(t)
		p.text("</section>\n")
	}
	if len(t.Minions) > 0 {
		p.part("minions", t.Index)
		rows := 0
		for m := range failedFirst(t.Target) {
			if rows == maxPageMinions/t.of {
				break
			}
			rows++
			p.part("minion", pageMinion{m})
		}
		p.part("states", pageRest{t.Index, leftOut(len(t.Minions)-rows, "minion", "which have no place in this table")})
		if t.Totals().Total > 0 {
			p.states(t.Target, t.of)
		}
	} else {
		p.text("<section hidden class=\"list\">\n")
	}
	p.part("events", t)
}

// leftOut says what a part of the page leaves out, or "".
func leftOut(n int, noun, why string) string {
	if n <= 0 {
		return ""
	}
	return "Left out: " + human.Plural(n, noun) + ", " + why + ". The JSON report has all."
}

// seal is a colour of the page, and a mark with the same meaning.
type seal struct{ Colour, Mark string }

var (
	sealOK      = seal{"ok", "✓"}
	sealFailed  = seal{"failed", "✗"}
	sealPending = seal{"pending", "?"}
)

func sealOf(v report.Verdict) seal {
	switch v {
	case report.Success:
		return sealOK
	case report.Unknown, report.Interrupted:
		return sealPending
	}
	return sealFailed
}

func statusSeal(s highstate.Status) seal {
	switch s {
	case highstate.Succeeded:
		return sealOK
	case highstate.Unreported:
		return sealPending
	case highstate.Failed, highstate.NotCompiled, highstate.NoAnswer, highstate.NotReached:
	}
	return sealFailed
}

// barWidth is the width of the bar of all minions.
const barWidth = 1000

// bareStatuses are those of minions that failed and tell of no states.
var bareStatuses = []struct {
	highstate.Status
	what string
}{
	{highstate.Failed, "failed, without a state"}, {highstate.NotCompiled, "did not compile"}, {highstate.NotReached, "not reached"},
	{highstate.NoAnswer, "did not answer"}, {highstate.Unreported, "did not report"},
}

type (
	// pageTarget is a target of a page, one of so many. The template uses its methods.
	pageTarget struct {
		*report.Target
		Index, of int
	}
	// pageCount is a number, and its part of the bar if it has one.
	pageCount struct {
		Colour, Number, What string
		X, Width             float64
	}
	pageRest struct {
		Index int
		Left  string
	}
	// pageMinion is a row of the table.
	pageMinion struct{ *report.Minion }
)

func (t pageTarget) Seal() seal    { return sealOf(t.Verdict) }
func (t pageTarget) Failed() int   { return len(t.Minions) - t.Count(highstate.Succeeded) }
func (t pageTarget) Facts() []fact { return facts(t.Target) }

func (t pageTarget) Headline() string {
	words := headline(t.Target)
	return strings.ToUpper(words[:1]) + words[1:]
}

// Warned returns the warnings.
func (t pageTarget) Warned() []string {
	shown := pageTexts(t.Warnings, maxPageWarned, pageText)
	if left := leftOut(len(t.Warnings)-maxPageWarned, "warning", "which have no place here"); left != "" {
		shown = append(shown, left)
	}
	return shown
}

// Parts returns the parts that the section has.
func (t pageTarget) Parts() []string {
	var parts []string
	for _, part := range []struct {
		name string
		has  bool
	}{
		{"failures", t.Failed() > 0},
		{"timeline", len(t.Minions) > 0}, {"minions", len(t.Minions) > 0}, {"states", len(t.Minions) > 0},
		{"events", len(t.Events) > 0}, {"targets", t.Top != nil}, {"contents", len(t.Bundle.Contents) > 0},
	} {
		if part.has {
			parts = append(parts, part.name)
		}
	}
	return parts
}

// Counts returns the numbers of minions and states, with their parts of the bar. Each
// minion that failed and tells of no states has its share of the minions; the states have
// the rest of the bar.
func (t pageTarget) Counts() []pageCount {
	if len(t.Minions) == 0 {
		return nil
	}
	c, x := t.Totals(), 0.0
	var all []pageCount
	add := func(colour string, n int, what string) {
		all = append(all, pageCount{Colour: colour, Number: human.Thousands(n), What: what})
	}
	share := func(colour string, n int, what string, of int, room float64) {
		if n > 0 {
			add(colour, n, what)
			last := &all[len(all)-1]
			last.X, last.Width = x, room*float64(n)/float64(of)
			x += last.Width
		}
	}
	what := "minions"
	if len(t.Minions) == 1 {
		what = "minion"
	}
	add("", len(t.Minions), what)
	if failed := t.Failed(); failed > 0 {
		add("failed", failed, "did not succeed")
	}
	bare := map[highstate.Status]int{}
	for _, m := range t.Minions {
		if !m.OK() && m.Counts.Total == 0 {
			bare[m.Status]++
		}
	}
	for _, s := range bareStatuses {
		share(statusSeal(s.Status).Colour, bare[s.Status], s.what, len(t.Minions), barWidth)
	}
	add("", c.Total, "states")
	room := barWidth - x
	share("failed", c.Failed, "failed", c.Total, room)
	share("changed", c.Changed, "changed", c.Total, room)
	share("pending", c.Pending, "would change", c.Total, room)
	share("ok", c.Total-c.Failed-c.Changed-c.Pending, "as they should be", c.Total, room)
	return all
}

func (t pageTarget) most() int { return max(1, maxPageEvents/t.of) }

// Left says how many of so many have no place.
func (t pageTarget) Left(n int, noun string) string {
	return leftOut(n-t.most(), noun, "which have no place here")
}

// EventList returns the events that have a place.
func (t pageTarget) EventList() []report.Event { return t.Events[:min(len(t.Events), t.most())] }

// Contents returns the entries of the bundle that have a place.
func (t pageTarget) Contents() []report.Content {
	return t.Bundle.Contents[:min(len(t.Bundle.Contents), t.most())]
}

// Short reports whether the name fits into a line of any screen.
func (m pageMinion) Short() bool { return len(pageLine(m.ID)) <= 24 }

func (m pageMinion) Seal() seal { return statusSeal(m.Status) }

// Message returns why there are no states, or "".
func (m pageMinion) Message() string {
	switch {
	case m.Incomplete != "":
		return pageLine("its states are missing: " + m.Incomplete)
	case len(m.Messages) > 0:
		return sanitize.Line(sanitize.Clip(firstLine(m.Messages), 300))
	}
	return ""
}

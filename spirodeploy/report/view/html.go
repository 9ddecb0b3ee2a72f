package view

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
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
	pageStyle template.CSS
	//go:embed html/page.js
	pageScript template.JS
	//go:embed html/page.html.tmpl
	pageFiles embed.FS

	page = template.Must(template.New("").Funcs(template.FuncMap{
		"line": pageLine, "text": pageText, "seconds": seconds, "clock": clock, "thousands": human.Thousands,
		"facts": facts, "seal": sealOf, "look": lookOf, "message": pageMessage, "diffClass": diffClass, "topLines": topLines, "leftOut": leftOut,
		"lines":  func(text string) []string { return strings.Split(text, "\n") },
		"policy": func() template.HTML { return pagePolicy },
		"style":  func() template.CSS { return pageStyle },
		"script": func() template.JS { return pageScript },
	}).ParseFS(pageFiles, "html/page.html.tmpl"))

	// pagePolicy allows the page its own style and script, and nothing else.
	//nolint:gosec // it is ours
	pagePolicy = template.HTML(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ` +
		hashOf(string(pageStyle)) + "; script-src " + hashOf(string(pageScript)) + `; base-uri 'none'; form-action 'none'">`)
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

// HTML writes a report as a page that needs no other file and no network: verdict, what
// failed, a timeline, minions, states and events. The page of a large run has what failed
// first, then what changed, up to some MiB, and says what it leaves out.
func HTML(w io.Writer, r *report.Report) error {
	p := &pageReport{Report: r, out: bufio.NewWriterSize(w, 64<<10)}
	if err := page.ExecuteTemplate(p, "page", p); err != nil {
		return err
	}
	return p.out.Flush()
}

// pageReport is a report, and the page that the template makes of it. The template uses its
// methods.
type pageReport struct {
	*report.Report
	out     *bufio.Writer
	written int
	results report.Results
}

func (p *pageReport) Write(b []byte) (int, error) {
	p.written += len(b)
	return p.out.Write(b)
}

// Title returns the title of the page. In an element, the template would escape more.
func (p *pageReport) Title() template.HTML {
	title := "spirodeploy"
	for _, t := range p.Targets {
		title = sealOf(t.Verdict).Mark + " " + pageLine(t.Saltenv) + ": " + headline(t)
	}
	if n := len(p.Targets); n > 1 {
		title = human.Plural(n, "deployment") + ": " + verdicts[p.Verdict].Words
	}
	return template.HTML("<title>" + html.EscapeString(title) + "</title>") //nolint:gosec // it is escaped
}

// Sections returns a section for each target.
func (p *pageReport) Sections() []*pageTarget {
	var all []*pageTarget
	for i, t := range p.Targets {
		all = append(all, &pageTarget{Target: t, page: p, Index: i, of: len(p.Targets)})
	}
	return all
}

// leftOut says how many of all a part of the page leaves out, or "".
func leftOut(all, shown int, noun, why string) string {
	if all <= shown {
		return ""
	}
	return "Left out: " + human.Plural(all-shown, noun) + ", " + why + ". The JSON report has all."
}

// barWidth is the width of the bar of all minions.
const barWidth = 1000

type (
	// pageTarget is a target of a page, one of so many. The template uses its methods.
	pageTarget struct {
		*report.Target
		page      *pageReport
		Index, of int
		Unshown   int // minions without a place in Failures
	}
	// pageCount is a number, and its part of the bar if it has one.
	pageCount struct {
		Colour   string
		N        int
		What     string
		X, Width float64
	}
)

func (t *pageTarget) Failed() int { return len(t.Minions) - t.Count(highstate.Succeeded) }

func (t *pageTarget) Headline() string {
	words := headline(t.Target)
	return strings.ToUpper(words[:1]) + words[1:]
}

// Warned returns the warnings that have a place.
func (t *pageTarget) Warned() []string { return first(t.Warnings, maxPageWarned) }

// Counts returns the numbers of minions and states, with their parts of the bar. Each
// minion that failed and tells of no states has its share of the minions; the states have
// the rest of the bar.
func (t *pageTarget) Counts() []pageCount {
	what := "minions"
	if len(t.Minions) == 1 {
		what = "minion"
	}
	all := []pageCount{{N: len(t.Minions), What: what}}
	if failed := t.Failed(); failed > 0 {
		all = append(all, pageCount{Colour: "failed", N: failed, What: "did not succeed"})
	}
	x := 0.0
	share := func(room float64, of int, counts ...pageCount) {
		for _, c := range counts {
			if c.N > 0 {
				c.X, c.Width = x, room*float64(c.N)/float64(of)
				x += c.Width
				all = append(all, c)
			}
		}
	}
	bare := map[highstate.Status]int{}
	for _, m := range t.Minions {
		if m.Counts.Total == 0 {
			bare[m.Status]++
		}
	}
	share(barWidth, len(t.Minions),
		pageCount{Colour: "failed", N: bare[highstate.Failed], What: "failed, without a state"},
		pageCount{Colour: "failed", N: bare[highstate.NotCompiled], What: "did not compile"},
		pageCount{Colour: "failed", N: bare[highstate.NotReached], What: "not reached"},
		pageCount{Colour: "failed", N: bare[highstate.NoAnswer], What: "did not answer"},
		pageCount{Colour: "pending", N: bare[highstate.Unreported], What: "did not report"})
	c := t.Totals()
	all = append(all, pageCount{N: c.Total, What: "states"})
	share(barWidth-x, c.Total,
		pageCount{Colour: "failed", N: c.Failed, What: "failed"},
		pageCount{Colour: "changed", N: c.Changed, What: "changed"},
		pageCount{Colour: "pending", N: c.Pending, What: "would change"},
		pageCount{Colour: "ok", N: c.Total - c.Failed - c.Changed - c.Pending, What: "as they should be"})
	return all
}

// Rows returns the minions that have a place in the table.
func (t *pageTarget) Rows() []*report.Minion {
	return first(failedFirst(t.Target), maxPageMinions/t.of)
}

func (t *pageTarget) most() int { return max(1, maxPageEvents/t.of) }

// EventList returns the events that have a place.
func (t *pageTarget) EventList() []report.Event { return first(t.Events, t.most()) }

// Contents returns the entries of the bundle that have a place.
func (t *pageTarget) Contents() []report.Content { return first(t.Bundle.Contents, t.most()) }

// pageMessage returns why a minion has no states, or "".
func pageMessage(m *report.Minion) string {
	switch {
	case m.Incomplete != "":
		return pageLine("its states are missing: " + m.Incomplete)
	case len(m.Messages) > 0:
		return sanitize.Line(sanitize.Clip(firstLine(m.Messages), 300))
	}
	return ""
}

package view

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"io"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

var (
	//go:embed html/page.css
	pageStyle string
	//go:embed html/page.js
	pageScript string
	//go:embed html/page.html.tmpl
	pageFiles embed.FS

	page = template.Must(template.ParseFS(pageFiles, "html/page.html.tmpl"))

	// pagePolicy lets the page do nothing but what its own style and script do.
	pagePolicy = "default-src 'none'; style-src " + hashOf(pageStyle) + "; script-src " + hashOf(pageScript) + "; base-uri 'none'; form-action 'none'"
)

// hashOf returns the source expression of a policy that allows a text in the page.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// HTML writes a report as a page that needs no other file and no network: verdict, what
// failed, a timeline, minions, states and events. A page of a large run has what failed
// first, then what changed, up to some MiB, and says what it leaves out.
func HTML(w io.Writer, r *report.Report) error {
	p := &pageWriter{out: bufio.NewWriterSize(w, 64<<10)} // which remembers the first error
	p.head(r)
	for i, t := range r.Targets {
		p.target(i, t, len(r.Targets))
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

func (p *pageWriter) part(name string, data any) {
	if err := page.ExecuteTemplate(p.out, name, data); err != nil && p.err == nil {
		p.err = err
	}
}

func (p *pageWriter) text(s string) { _, _ = p.out.WriteString(s) }

// head writes what is before the first target: by hand, as style and script are
// to be in the page byte by byte.
func (p *pageWriter) head(r *report.Report) {
	title := "spirodeploy"
	for _, t := range r.Targets {
		title = sealOf(t).Mark + " " + pageLine(t.Saltenv) + ": " + headline(t)
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

// target writes the section of a target, one of so many.
func (p *pageWriter) target(index int, t *report.Target, of int) {
	p.part("verdict", newPageVerdict(index, t))
	if failed := len(t.Minions) - t.Count(highstate.Succeeded); failed > 0 {
		p.part("failures", index)
		p.failures(t, of)
		p.text("</section>\n")
	}
	ran := t.Totals().Total > 0
	if len(t.Minions) > 0 {
		p.part("minions", index)
		rows := p.minions(t, of)
		p.part("states", pageRest{Index: index, Left: leftOut(len(t.Minions)-rows, "minion", "which have no place in this table")})
		if ran {
			p.states(t, of)
		}
	} else {
		p.text("<section hidden class=\"list\">\n")
	}
	p.part("events", newPageEvents(index, t, of))
}

// leftOut says what a part of the page does not have, or "".
func leftOut(n int, noun, why string) string {
	if n <= 0 {
		return ""
	}
	return "Left out: " + human.Plural(n, noun) + ", " + why + ". The JSON report has all."
}

package view

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// maxAnnotations is how many failures of a run are annotated. GitHub shows ten of a
// step, and the log has all.
const maxAnnotations = 50

// annotations returns how many lines annotate writes.
func annotations(failures []*group) int {
	n := 0
	for _, g := range failures {
		n += g.failures()
	}
	return min(n, maxAnnotations+1) + 1 // and one for the run
}

// annotate writes an annotation for each failure, and for an error of the run.
func (x *text) annotate(failures []*group) {
	written, all := 0, 0
	for _, g := range failures {
		all += g.failures()
		if written < maxAnnotations {
			written += x.annotateGroup(g, maxAnnotations-written)
		}
	}
	if left := all - written; left > 0 {
		x.print("", "… and "+human.Plural(left, "more failure")+" without an annotation")
	}
	if x.Error != "" && x.Verdict != report.Success {
		x.annotation("", sanitize.Line(x.Title()), shortened(x.Error))
	}
}

// annotateGroup writes up to so many annotations, and returns how many.
func (x *text) annotateGroup(g *group, most int) int {
	names, n := sanitize.Line(x.Qualify(""))+g.names(maxNames, oneLine), 0
	r, err := x.results.Telling(g.first())
	for s, because := range explained(r.States, isBad) {
		if n == most {
			break
		}
		n++
		title := fmt.Sprintf("%s: %s %s", names, foldedLine(s.Function), foldedLine(s.ID))
		file := ""
		if x.File != nil {
			file = x.File(s.SLS)
		}
		x.annotation(file, title, strings.Join(foldedReason(s, because), "\n"))
	}
	if n > 0 {
		return n
	}
	text := strings.Join(each(r.Messages, sanitize.LF), "\n")
	if text == "" && err != nil {
		text = "what its states did is missing: " + err.Error()
	}
	x.annotation("", names+": "+g.outcome(), shortened(cmp.Or(text, g.outcome())))
	return 1
}

// annotation writes an annotation, at a file if that is not empty. Its text is harmless
// for a terminal.
func (p *printer) annotation(file, title, text string) {
	if file != "" {
		file = "file=" + escapeProperty(p.log.Harmless(sanitize.Line(file))) + ","
	}
	p.raw("::error " + file + "title=" + escapeProperty(p.log.Harmless(title)) + "::" + escapeData(p.log.Harmless(text)))
}

// shortened returns the first lines of a text.
func shortened(s string) string {
	const most = 5
	lines := strings.SplitN(strings.TrimSpace(s), "\n", most+1)
	shown := each(first(lines, most), func(text string) string { return sanitize.Text(sanitize.Clip(text, maxFolded)) })
	if len(lines) > most {
		shown = append(shown, "…")
	}
	return strings.Join(shown, "\n")
}

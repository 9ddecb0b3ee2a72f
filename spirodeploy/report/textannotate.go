package report

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// maxAnnotations is how many failures of a run GitHub is told of. It shows ten of
// a step, and has all in the log.
const maxAnnotations = 50

// annotations returns how many lines annotate takes.
func annotations(failures []*group) int {
	n := 0
	for _, g := range failures {
		n += g.failures()
	}
	return min(n, maxAnnotations+1) + 1 // and one for the run
}

// annotate writes an annotation for each of the failures, and for what went wrong
// without a minion.
func (t *Target) annotate(p *printer, failures []*group) {
	var buf []byte
	written, all := 0, 0
	for _, g := range failures {
		all += g.failures()
		if written < maxAnnotations {
			written += p.annotateGroup(t, g, maxAnnotations-written, &buf)
		}
	}
	if left := all - written; left > 0 {
		p.print("", "… and "+plural(left, "more failure")+" without an annotation")
	}
	if t.Error != "" && t.Verdict != Success {
		p.annotation(sanitize.Line(t.title()), shortened(t.Error))
	}
}

// annotateGroup writes no more than so many annotations, and returns how many.
func (p *printer) annotateGroup(t *Target, g *group, most int, buf *[]byte) int {
	names, n := sanitize.Line(t.whole(""))+g.names(maxNames, oneLine), 0
	r, err := g.first().readTelling(buf)
	causes := causesOf(r.States)
	for i := range r.States {
		s := &r.States[i]
		if s.Outcome != highstate.Bad || n == most {
			continue
		}
		n++
		title := fmt.Sprintf("%s: %s %s", names, foldedLine(s.Function), foldedLine(s.ID))
		p.annotation(title, strings.Join(foldedReason(s, causes.because(s)), "\n"))
	}
	if n > 0 {
		return n
	}
	text := strings.Join(r.Messages, "\n")
	if text == "" && err != nil {
		text = "what its states did is missing: " + err.Error()
	}
	if text == "" {
		text = g.outcome()
	}
	p.annotation(names+": "+g.outcome(), shortened(text))
	return 1
}

// annotation writes one. What it says is harmless for a terminal.
func (p *printer) annotation(title, text string) {
	p.raw("::error title=" + escapeProperty(p.log.Harmless(title)) + "::" + escapeData(p.log.Harmless(text)))
}

// shortened returns the first lines of a text.
func shortened(s string) string {
	const most = 5
	var lines []string
	for text := range strings.SplitSeq(strings.TrimSpace(s), "\n") {
		if len(lines) == most {
			lines = append(lines, "…")
			break
		}
		lines = append(lines, sanitize.Text(sanitize.Clip(text, maxFolded)))
	}
	return strings.Join(lines, "\n")
}

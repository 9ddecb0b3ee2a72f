package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/hinshun/vt10x"
)

// The size of a cell, and of the margin around the screen, in pixels.
const (
	cellWidth, cellHeight = 8, 18
	margin                = 16
)

// The colours of a dark terminal, each with a contrast of more than 7 to its background:
// the picture has to look good on light and on dark pages.
const (
	background = "#10151c"
	foreground = "#d8dee6"
)

var colors = map[vt10x.Color]string{
	vt10x.Red: "#ff8a80", vt10x.Green: "#5fd67a", vt10x.Yellow: "#e6c15c", vt10x.Cyan: "#5ccfe0",
}

// bold is the emulator's attribute, which it does not export.
const bold = 1 << 2

// svg draws a screen without its empty lines at the end.
func svg(screen vt10x.View, title string) []byte {
	cols, rows := screen.Size()
	for rows > 0 && len(runs(screen, rows-1)) == 0 {
		rows--
	}
	width, height := cols*cellWidth+2*margin, rows*cellHeight+2*margin
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img">`+"\n", width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n", escape(title))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="8" fill="%s"/>`+"\n", width, height, background)
	fmt.Fprintf(&b, `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="%s">`+"\n", foreground)
	for y := range rows {
		for _, r := range runs(screen, y) {
			b.WriteString(r.element(y))
		}
	}
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

// run is a part of a line in one style.
type run struct {
	x    int
	text string
	fill string
	bold bool
}

// element returns a run as text that fills its cells, in any font.
func (r run) element(y int) string {
	look := ""
	if r.fill != "" {
		look += ` fill="` + r.fill + `"`
	}
	if r.bold {
		look += ` font-weight="bold"`
	}
	return fmt.Sprintf(`<text x="%d" y="%d" textLength="%d" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
		margin+r.x*cellWidth, margin+y*cellHeight+13, len([]rune(r.text))*cellWidth, look, escape(r.text))
}

// runs returns the runs of a line. Wide gaps lie between runs, since XML takes several
// spaces for one.
func runs(screen vt10x.View, y int) []run {
	cols, _ := screen.Size()
	var all []run
	spaces := 0
	for x := range cols {
		cell := screen.Cell(x, y)
		if cell.Char == ' ' || cell.Char == 0 {
			spaces++
			continue
		}
		here := run{x: x, fill: colors[cell.FG%8], bold: cell.Mode&bold != 0}
		if cell.FG >= 16 {
			here.fill = ""
		}
		last := len(all) - 1
		if last < 0 || spaces > 1 || all[last].fill != here.fill || all[last].bold != here.bold {
			all = append(all, here)
			last++
		} else if spaces == 1 {
			all[last].text += " "
		}
		all[last].text += string(cell.Char)
		spaces = 0
	}
	return all
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}

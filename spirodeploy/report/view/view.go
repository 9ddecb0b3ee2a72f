// Package view shows a report to people and programs. Each format is a function that
// writes a finished report, apart from [NDJSON] and [Story], which follow a run. [Formats]
// lists the formats that people choose by name.
package view

import (
	"io"

	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Format is a format of a report. It has a Write or a Watch function.
type Format struct {
	Name string // such as "json"
	File string // a usual name of a file in this format
	// Brief means that a brief report is enough, see [report.Report].
	Brief bool
	// Write writes a finished report. Errors are those of the writer.
	Write func(io.Writer, *report.Report) error
	// Watch returns a watcher that writes a run while it goes on.
	Watch func(io.Writer) report.Watcher
}

// Formats are all formats, sorted by name.
var Formats = []Format{
	{Name: "html", File: "report.html", Write: HTML},
	{Name: "json", File: "report.json", Write: JSON},
	{Name: "junit", File: "report.xml", Write: JUnit},
	{Name: "markdown", File: "report.md", Brief: true, Write: Markdown},
	{Name: "ndjson", File: "report.ndjson", Watch: NDJSON},
}

// Find returns the format of a name.
func Find(name string) (f Format, ok bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// Names returns the names of the formats.
func Names() []string {
	return each(Formats, func(f Format) string { return f.Name })
}

// JSON writes a report as [report.Report.WriteJSON] does. All other formats of a
// finished report can be made from it.
func JSON(w io.Writer, r *report.Report) error { return r.WriteJSON(w) }

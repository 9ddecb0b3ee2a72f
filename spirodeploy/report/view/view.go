// Package view lists the forms of a report that is over, for front ends that let
// people choose one by its name.
package view

import (
	"io"
	"maps"
	"slices"

	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// View is a form of a report.
type View struct {
	File  string // a name for a file with it
	Write func(*report.Report, io.Writer) error
}

// Names of views that front ends treat in a way of their own.
const (
	JSON     = "json"     // all others can be made of it again
	Markdown = "markdown" // for the summary of a job
)

// All are the views by their names.
var All = map[string]View{
	JSON:     {"report.json", (*report.Report).WriteJSON},
	"junit":  {"report.xml", (*report.Report).WriteJUnit},
	"html":   {"report.html", (*report.Report).WriteHTML},
	Markdown: {"report.md", (*report.Report).WriteMarkdown},
}

// Names returns the names of the views, sorted.
func Names() []string { return slices.Sorted(maps.Keys(All)) }

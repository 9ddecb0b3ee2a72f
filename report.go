package main

import (
	"github.com/spirostack/spirodeploy/internal/dagger"
	"github.com/spirostack/spirodeploy/internal/module"
)

// Report tells what a deployment came to.
type Report struct {
	// Whether everything that was asked for happened.
	Succeeded bool
	// The exit status that the command spiro-deploy would have: 0 where the deployment succeeded, 1 where a minion failed.
	ExitStatus int
	// What happened, in several lines.
	Summary string
	// +private
	JSON string
}

func newReport(o *module.Outcome) *Report {
	return &Report{Succeeded: o.Succeeded, ExitStatus: o.ExitStatus, Summary: o.Summary, JSON: o.JSON}
}

// Format is a form that a report can have.
type Format string

// The formats. (Their names are what people type, in any case.)
const (
	// A page with a timeline, failures and changes, in one file.
	FormatHTML Format = "html"
	// All there is to know, as docs/report.schema.json describes it.
	FormatJSON Format = "json"
	// A test suite for each minion, for CI systems.
	FormatJunit Format = "junit"
	// The summary of a job.
	FormatMarkdown Format = "markdown"
)

// File returns the whole report as a file.
func (r *Report) File(
	// The format.
	// +default="json"
	format Format,
) (*dagger.File, error) {
	name, content, err := r.outcome().File(string(format))
	if err != nil {
		return nil, err
	}
	return dag.File(name, content), nil
}

// Files returns the report in every format: report.html, report.json, report.md and report.xml, which is JUnit's.
func (r *Report) Files() (*dagger.Directory, error) {
	dir := dag.Directory()
	for _, format := range module.Formats() {
		name, content, err := r.outcome().File(format)
		if err != nil {
			return nil, err
		}
		dir = dir.WithNewFile(name, content)
	}
	return dir, nil
}

// Assert returns the summary, or fails with it unless the deployment succeeded.
func (r *Report) Assert() (string, error) {
	return r.Summary, r.outcome().Err()
}

func (r *Report) outcome() module.Outcome {
	return module.Outcome{Succeeded: r.Succeeded, ExitStatus: r.ExitStatus, Summary: r.Summary, JSON: r.JSON}
}

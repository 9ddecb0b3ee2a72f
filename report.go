package main

import (
	"github.com/spirostack/spirodeploy/internal/dagger"
	"github.com/spirostack/spirodeploy/internal/module"
)

// Report is the result of a deployment.
type Report struct {
	// Whether everything that was asked for happened.
	Succeeded bool
	// The exit status of the command spiro-deploy in this case: 0 if the deployment succeeded, 1 if a minion failed.
	ExitStatus int
	// What happened, in several lines.
	Summary string
	// +private
	JSON string
}

// Format is the format of a report.
type Format string

// The formats. (Their names are what people type, in any case.)
const (
	// A page in one file, with a timeline, failures and changes.
	FormatHTML Format = "html"
	// Everything, as docs/report.schema.json describes it.
	FormatJSON Format = "json"
	// A test suite for each minion, for CI systems.
	FormatJunit Format = "junit"
	// The summary of a job.
	FormatMarkdown Format = "markdown"
)

// File returns the report as a file.
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

// Files returns the report in every format: report.html, report.json, report.md, and report.xml for JUnit.
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

// Assert returns the summary if the deployment succeeded, and otherwise fails with it.
func (r *Report) Assert() (string, error) {
	return r.Summary, r.outcome().Err()
}

func (r *Report) outcome() module.Outcome {
	return module.Outcome(*r)
}

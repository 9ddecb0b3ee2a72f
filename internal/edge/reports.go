package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/output"
	"github.com/spirostack/spirodeploy/internal/problem"
	"github.com/spirostack/spirodeploy/internal/views"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// reportFile is a report to write.
type reportFile struct {
	format, path string
}

// ndjson is the format that is written while a run goes on.
const ndjson = "ndjson"

// parseReports reads FORMAT=FILE.
func parseReports(specs []string) ([]reportFile, error) {
	var files []reportFile
	var errs []error
	stdout := 0
	for _, spec := range specs {
		format, path, ok := strings.Cut(spec, "=")
		switch {
		case !ok || path == "":
			errs = append(errs, fmt.Errorf("report %q: not FORMAT=FILE, such as json=report.json", spec))
			continue
		case format != ndjson && views.All[format].Write == nil:
			formats := append(views.Names(), ndjson)
			slices.Sort(formats)
			errs = append(errs, fmt.Errorf("report %q: the format %q is not known: there are %s", spec, format, strings.Join(formats, ", ")))
			continue
		}
		if path == output.Stdout {
			stdout++
		} else if err := checkPlace(path); err != nil {
			// Better now than after a deployment.
			errs = append(errs, fmt.Errorf("report %q: %w", spec, err))
			continue
		}
		if path != output.Stdout && slices.ContainsFunc(files, func(f reportFile) bool { return same(f.path, path) }) {
			errs = append(errs, fmt.Errorf("report %q: another one goes to that file", spec))
			continue
		}
		files = append(files, reportFile{format, path})
	}
	if stdout > 1 {
		errs = append(errs, errors.New("report: only one can go to standard output"))
	}
	return files, problem.Join(errs...)
}

// same reports whether two paths lead to one file, which may not be there yet.
// The first may be standard output, which is none; and a device is not one in this
// sense: it takes anything.
func same(a, b string) bool {
	if a == output.Stdout {
		return false
	}
	if info, err := os.Stat(a); err == nil && !info.Mode().IsRegular() {
		return false
	}
	return filepath.Clean(a) == filepath.Clean(b) || sameFile(a, b)
}

// inputs are the files that the run reads, beside the tree.
func (s *Settings) inputs() []string {
	return []string{s.Bundle, s.Diff, s.Targets, s.TokenFile, s.SSLCert, s.Defaults.TokenFile}
}

// checkInputs returns an error for each report that would replace what the run reads.
func checkInputs(reports []reportFile, inputs []string) error {
	var errs []error
	for _, r := range reports {
		for _, input := range inputs {
			if input != "" && same(r.path, input) {
				errs = append(errs, fmt.Errorf("report %s=%s: the run reads that file", r.format, r.path))
			}
		}
	}
	return problem.Join(errs...)
}

// checkPlace returns why there can be no file at a path, as far as that shows.
func checkPlace(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return errors.New("it is a directory")
	}
	switch info, err := os.Stat(filepath.Dir(path)); {
	case err != nil:
		return fmt.Errorf("its directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%s is no directory", filepath.Dir(path))
	}
	if _, err := os.Stat(path); err == nil {
		return nil // it may be a device, whose directory is nobody's
	}
	probe, err := os.CreateTemp(filepath.Dir(path), ".spirodeploy-*")
	if err != nil {
		return fmt.Errorf("no file can be made there: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// write writes the reports on a run that is over.
func (w World) write(ctx context.Context, rep *report.Report, reports []reportFile) error {
	if ctx.Err() != nil { // also a run that was interrupted has a report
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastReports)
		defer cancel()
	}
	var errs []error
	for _, r := range reports {
		view := views.All[r.format].Write
		if view == nil {
			continue
		}
		fill := func(out io.Writer) error {
			return w.text(out, func(out io.Writer) error { return view(rep, out) })
		}
		if err := output.Write(ctx, r.path, w.bytes, fill); err != nil {
			errs = append(errs, fmt.Errorf("the report was not written: %w", err))
		}
	}
	return problem.Join(errs...)
}

// live are the reports that are written while the run goes on.
type live []liveReport

type liveReport struct {
	*report.NDJSON
	hiding *token.Writer
	file   *output.Stream
}

// follow opens the reports that are written while the run goes on.
func (w World) follow(ctx context.Context, reports []reportFile) (live, error) {
	var l live
	var errs []error
	for _, r := range reports {
		if r.format != ndjson {
			continue
		}
		file, err := output.Open(ctx, r.path, w.bytes, lastWord)
		if err != nil {
			errs = append(errs, fmt.Errorf("report: %w", err))
			continue
		}
		hiding := w.known.Writer(file)
		l = append(l, liveReport{report.NewNDJSON(hiding), hiding, file})
	}
	return l, problem.Join(errs...)
}

func (l live) watch(u report.Update) {
	for _, r := range l {
		r.Watch(u)
	}
}

// lastReports is how long writing reports may take, when the run was ended from outside.
const lastReports = time.Minute

// lastWord is how long the verdict may wait for a reader, when the run was ended
// from outside.
const lastWord = 5 * time.Second

// end writes the verdict.
func (l live) end(rep *report.Report) error {
	var errs []error
	for _, r := range l {
		if err := errors.Join(r.End(rep), r.hiding.Flush(), r.file.Close()); err != nil {
			errs = append(errs, fmt.Errorf("the report was not written to its end: %w", err))
		}
	}
	return problem.Join(errs...)
}

// summarize adds the run to the summary of a job of GitHub Actions, where there
// is one (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
func (w World) summarize(rep *report.Report, reports []reportFile) {
	path := w.env("GITHUB_STEP_SUMMARY")
	if path == "" || slices.ContainsFunc(reports, func(r reportFile) bool { return same(r.path, path) }) {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err == nil {
		err = errors.Join(w.text(f, rep.WriteMarkdown), f.Close())
	}
	if err != nil {
		fmt.Fprintf(w.Stderr, "warning: GITHUB_STEP_SUMMARY: %v\n", err)
	}
}

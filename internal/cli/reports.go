package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// reportFile is a report to write.
type reportFile struct {
	format, path string
}

// whole reports whether the report needs all states.
func (r reportFile) whole() bool {
	f, _ := view.Find(r.format)
	return !f.Brief
}

// Formats with places of their own.
const (
	ndjson   = "ndjson"   // not together with a display
	markdown = "markdown" // the summary of a job
)

// parseReports reads FORMAT=FILE. The summary is the file with the summary of a job, or "".
func parseReports(specs []string, summary string) ([]reportFile, error) {
	var files []reportFile
	var errs []error
	stdout := 0
	for _, spec := range specs {
		format, path, ok := strings.Cut(spec, "=")
		var err error
		switch {
		case !ok || path == "":
			err = errors.New("not FORMAT=FILE, such as json=report.json")
		case !slices.Contains(view.Names(), format):
			err = fmt.Errorf("the format %q is not known: there are %s", format, strings.Join(view.Names(), ", "))
		case severalReports(path):
			err = errors.New("it names several: give each of them a flag of its own")
		case path == atomicfile.Stdout:
			if stdout++; stdout > 1 {
				continue // told below
			}
		case slices.ContainsFunc(files, func(f reportFile) bool { return same(f.path, path) }):
			err = errors.New("another one goes to that file")
		default:
			r := reportFile{format, path}
			err = checkPlace(path, r.live() || r.adds(summary)) // the user learns it now, not after the deployment
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("report %q: %w", spec, err))
			continue
		}
		files = append(files, reportFile{format, path})
	}
	if stdout > 1 {
		errs = append(errs, errors.New("report: only one can go to standard output"))
	}
	return files, errlist.Join(errs...)
}

// severalReports reports whether a path has another report behind a comma.
func severalReports(path string) bool {
	return slices.ContainsFunc(view.Names(), func(format string) bool { return strings.Contains(path, ","+format+"=") })
}

// same reports whether two paths name one file, which need not be there yet. Standard
// output and devices are never the same: they take several writers.
func same(a, b string) bool {
	if a == atomicfile.Stdout {
		return false
	}
	if info, err := os.Stat(a); err == nil && !info.Mode().IsRegular() {
		return false
	}
	return filepath.Clean(a) == filepath.Clean(b) || sameFile(a, b)
}

// inputs returns the files that the run reads in addition to the project directory.
func (s *Settings) inputs() []string {
	return []string{s.ExpectFrom, s.RegistryCert, s.Targets, s.TokenFile, s.SSLCert, s.Defaults.TokenFile, s.Bundle, s.Diff}
}

// artifactPaths returns where artifacts are.
func artifactPaths(opts bundle.Options) (paths []string) {
	for _, a := range opts.Artifacts {
		if !filepath.IsAbs(a.Path) {
			a.Path = filepath.Join(opts.Dir, a.Path)
		}
		paths = append(paths, a.Path)
	}
	return paths
}

// isState reports whether a file that need not be there is, or would be, below the directory
// with the states.
func isState(opts bundle.Options, path string) bool {
	dir, err := filepath.EvalSymlinks(filepath.Join(opts.Dir, bundle.SaltDir))
	parent, parentErr := filepath.EvalSymlinks(filepath.Dir(path))
	dir, dirErr := filepath.Abs(dir)
	parent, absErr := filepath.Abs(parent)
	rel, relErr := filepath.Rel(dir, parent)
	return errors.Join(err, parentErr, dirErr, absErr, relErr) == nil && filepath.IsLocal(rel)
}

// checkTarget returns an error if a file that the run writes would take the place of one that
// it reads, or be a state.
func checkTarget(path string, inputs []string, opts bundle.Options) error {
	reads := func(input string) bool { return input != "" && same(path, input) }
	switch {
	case slices.ContainsFunc(inputs, reads), slices.ContainsFunc(artifactPaths(opts), reads):
		return errors.New("the run reads that file")
	case path != atomicfile.Stdout && isState(opts, path):
		return fmt.Errorf("it would be a file of %s, which has the states", bundle.SaltDir)
	}
	return nil
}

// checkInputs returns an error for each report that would replace what the run reads, or a
// state.
func checkInputs(reports []reportFile, inputs []string, opts bundle.Options) error {
	var errs []error
	for _, r := range reports {
		if err := checkTarget(r.path, inputs, opts); err != nil {
			errs = append(errs, fmt.Errorf("report %s=%s: %w", r.format, r.path, err))
		}
	}
	return errlist.Join(errs...)
}

// checkPlace returns why a file cannot be written, as far as can be known. In place means that
// it is written to as it is, and no other file takes its place.
func checkPlace(path string, inPlace bool) error {
	dir := filepath.Dir(path)
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return errors.New("it is a directory")
	case err == nil:
	default:
		switch info, err := os.Stat(dir); {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("the directory %s does not exist: make it first", dir)
		case err != nil:
			return fmt.Errorf("its directory: %w", err)
		case !info.IsDir():
			return fmt.Errorf("%s is not a directory", dir)
		}
	}
	if inPlace {
		return nil
	}
	if err := atomicfile.Check(path); err != nil {
		return fmt.Errorf("no file can be made there: %w", err)
	}
	return nil
}

// live reports whether the report is written while the run goes on.
func (r reportFile) live() bool {
	f, _ := view.Find(r.format)
	return f.Watch != nil
}

// adds reports whether the report is added to the summary of a job, to which other commands
// may have written
// (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
func (r reportFile) adds(summary string) bool {
	return summary != "" && r.format == markdown && same(r.path, summary)
}

// write writes the reports of a run that has ended.
func (w World) write(ctx context.Context, rep *report.Report, reports []reportFile) error {
	if ctx.Err() != nil { // an interrupted run has reports, too
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastReports)
		defer cancel()
	}
	summary := w.env("GITHUB_STEP_SUMMARY")
	var errs []error
	for _, r := range reports {
		format, _ := view.Find(r.format)
		if format.Write == nil {
			continue
		}
		var err error
		if r.adds(summary) {
			if err = w.appendSummary(rep, r.path); err != nil {
				err = fmt.Errorf("GITHUB_STEP_SUMMARY: %w", err)
			}
		} else {
			err = atomicfile.Write(ctx, r.path, w.bytes, func(out io.Writer) error {
				if r.path == atomicfile.Stdout && r.format != "json" {
					lines := harmlessLines(out, w.log(w.bytes))
					out = lines
					defer lines.flush()
				}
				return w.report(r.format, out, func(out io.Writer) error { return format.Write(out, rep) })
			})
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("the report was not written: %w", err))
		}
	}
	return errlist.Join(errs...)
}

// liveReport is a report that is written during the run.
type liveReport struct {
	watch report.Watcher
	end   func() error
}

// follow opens the reports that are written during the run. One that cannot be opened is a
// problem of the plan.
func (w World) follow(ctx context.Context, p *plan) (live []liveReport) {
	for _, r := range p.reports {
		format, _ := view.Find(r.format)
		if format.Watch == nil {
			continue
		}
		file, err := atomicfile.Open(ctx, r.path, w.bytes, lastWord)
		if err != nil {
			p.options.Problems = append(p.options.Problems, fmt.Errorf("report: %w", err))
			continue
		}
		hiding := w.hiding(r.format, file)
		live = append(live, liveReport{format.Watch(hiding), func() error {
			_ = hiding.Flush() // the file remembers why it cannot be written
			if err := file.Close(); err != nil {
				return fmt.Errorf("the report was not written to its end: %w", err)
			}
			return nil
		}})
	}
	return live
}

// lastReports limits how long reports may take to write if the run was ended from outside.
const lastReports = time.Minute

// lastWord limits how long the verdict waits for a reader if the run was ended from
// outside.
const lastWord = 5 * time.Second

// maxSummary is how large the summary of a job's step may be, in bytes: GitHub
// shows nothing of a larger one. With less room than minSummary there is none.
const (
	maxSummary = 1 << 20
	minSummary = 2 << 10
)

// summarize adds the run to the summary of the job, if there is one and no report
// has done so.
func (w World) summarize(s Settings, rep *report.Report, reports []reportFile) {
	path := w.env("GITHUB_STEP_SUMMARY")
	if path == "" || slices.ContainsFunc(reports, func(r reportFile) bool { return same(r.path, path) }) {
		return
	}
	if err := w.appendSummary(rep, path); err != nil {
		fmt.Fprintf(w.Stderr, "warning: GITHUB_STEP_SUMMARY: %s\n", w.said(s, err))
	}
}

// appendSummary adds a summary that fits into the room that is left.
func (w World) appendSummary(rep *report.Report, path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	room := maxSummary - info.Size()
	if room < minSummary {
		return &fault.Error{
			Err:  fmt.Errorf("the file has %s already, and GitHub shows nothing of more than %s", human.Size(info.Size()), human.Size(maxSummary)),
			Help: "write less to it before, or use {report=}markdown=FILE",
		}
	}
	fill := func(out io.Writer) error { return view.MarkdownIn(out, rep, int(room)) }
	return errors.Join(w.report(markdown, f, fill), f.Close())
}

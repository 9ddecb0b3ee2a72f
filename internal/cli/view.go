package cli

import (
	"cmp"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/term"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
	"github.com/spirostack/spirodeploy/internal/display"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// Values of --color.
const (
	auto   = "auto" // on a terminal, and in the log of a CI service that shows colours
	always = "always"
	never  = "never"
)

// colors reports whether to colour an output. The flag decides, then NO_COLOR
// (https://no-color.org), CLICOLOR_FORCE and CLICOLOR (https://bixense.com/clicolors),
// then whether the output is a terminal or a log that shows colours.
func (w World) colors(flag string, out io.Writer) bool {
	force := w.env("CLICOLOR_FORCE")
	switch when := cmp.Or(flag, auto); {
	case when != auto:
		return when == always
	case w.env("NO_COLOR") != "":
		return false
	case force != "" && force != "0":
		return true
	}
	return w.env("CLICOLOR") != "0" && (w.log(out) != "" || isTerminal(out) && w.env("TERM") != "dumb")
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// log returns the CI service whose log an output goes to, or "". A terminal or a file is
// not such a log.
func (w World) log(out io.Writer) view.Log {
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); isTerminal(f) || err != nil || info.Mode().IsRegular() {
			return ""
		}
	}
	return w.job(out)
}

// job returns the CI service whose job writes an output, or "" for a terminal. The output
// may be a file, which the job may print later.
func (w World) job(out io.Writer) view.Log {
	if isTerminal(out) {
		return ""
	}
	switch "true" {
	case w.env("GITHUB_ACTIONS"): // https://docs.github.com/en/actions/reference/workflows-and-actions/variables
		return view.GitHub
	case w.env("GITLAB_CI"): // https://docs.gitlab.com/ci/variables/predefined_variables/
		return view.GitLab
	}
	return ""
}

// stateFile returns a function that finds the file of an SLS in the project directory. Its
// path is relative to the top of the repository, and "" if there is no such file. The
// function is nil if the bundle was not made here.
func (w World) stateFile(s Settings) func(sls string) string {
	dir, err := filepath.Abs(s.Dir)
	if err != nil || s.Bundle != "" {
		return nil
	}
	// https://docs.github.com/en/actions/reference/workflows-and-actions/variables
	below, err := filepath.Rel(cmp.Or(w.env("GITHUB_WORKSPACE"), dir), dir)
	if err != nil || !filepath.IsLocal(below) {
		return nil
	}
	return func(sls string) string {
		name := strings.ReplaceAll(sls, ".", "/")
		if !fs.ValidPath(name) {
			return ""
		}
		for _, name := range []string{name + ".sls", name + "/init.sls"} { // in Salt's order
			file := filepath.Join(bundle.SaltDir, filepath.FromSlash(name))
			if info, err := os.Stat(filepath.Join(dir, file)); err == nil && info.Mode().IsRegular() {
				return filepath.ToSlash(filepath.Join(below, file))
			}
		}
		return ""
	}
}

// summaryOptions returns how the result looks on an output.
func (w World) summaryOptions(s Settings, out io.Writer) view.TextOptions {
	o := view.TextOptions{Color: w.colors(s.Color, out), Terminal: isTerminal(out), Log: w.job(out), File: w.stateFile(s)}
	switch {
	case s.Quiet:
		o.Detail = view.Quiet
	case s.Verbose:
		o.Detail = view.Verbose
	}
	return o
}

// show returns a Watcher that tells the story on standard error as lines, and redraws the
// present state below them if standard error is a terminal. The function end stops the
// redrawing; later output comes below. Nothing is redrawn if a live report goes to the
// same terminal.
func (w World) show(s Settings, targets int, reports ...reportFile) (watch report.Watcher, end func()) {
	o := view.StoryOptions{Quiet: s.Quiet, Color: w.colors(s.Color, w.rawStderr), Log: w.job(w.rawStderr)}
	terminal, ok := w.rawStderr.(*os.File)
	mixed := isTerminal(w.bytes) && slices.Contains(reports, reportFile{ndjson, atomicfile.Stdout})
	o.Live = ok && !s.Quiet && isTerminal(terminal) && w.env("TERM") != "dumb" && o.Log == "" && !mixed
	story := view.Story(w.Stderr, o)
	if !o.Live {
		return story, func() {}
	}
	scr := display.New(terminal, targets, w.known.Redact)
	w.turn.to(scr)
	watch = func(u report.Update) {
		scr.Watch(u)
		story(u)
	}
	return watch, func() {
		scr.Close()
		w.turn.to(terminal)
	}
}

// turnout is a writer that can be led to another one.
type turnout struct{ out atomic.Pointer[io.Writer] }

func (t *turnout) Write(p []byte) (int, error) { return (*t.out.Load()).Write(p) }

func (t *turnout) to(out io.Writer) { t.out.Store(&out) }

// together reports whether the user reads both outputs in one place: on a terminal, or in
// the log of a CI job.
func (w World) together() bool {
	if w.log(w.bytes) != "" && w.log(w.rawStderr) != "" {
		return true
	}
	stdout, ok := w.bytes.(*os.File)
	stderr, same := w.rawStderr.(*os.File)
	if !ok || !same {
		return false
	}
	x, errX := stdout.Stat()
	y, errY := stderr.Stat()
	return errX == nil && errY == nil && os.SameFile(x, y)
}

package cli

import (
	"bytes"
	"errors"
	"io"
	"log"
	"regexp"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// discreet is what keeps the tokens of a run out of all that it tells. The client
// takes them out of what the server says; here it is about what people type: who
// gives the token as the project's name as well must not read it in the report.
type discreet struct {
	known     *token.Known
	bytes     io.Writer // standard output for what is no text: bundles, and tokens that were asked for
	rawStderr io.Writer // standard error itself
	turn      *turnout  // where standard error leads
	ownsLog   bool      // whether the standard logger is the run's
}

// discreetly does something in a world whose outputs, and whose error, show no
// token of the run.
func (w World) discreetly(s Settings, do func(World) error) error {
	w.known, w.bytes = token.Know(w.Getenv("SPIRO_TOKEN")), w.Stdout
	if s.Token != nil {
		w.known.AddText(*s.Token)
	}
	w.rawStderr, w.turn = w.Stderr, &turnout{out: w.Stderr}
	stdout, stderr := w.known.Writer(w.Stdout), w.known.Writer(w.turn)
	w.Stdout, w.Stderr = stdout, stderr
	if w.ownsLog {
		// net/http logs what a server says before it was asked.
		before := log.Writer()
		log.SetOutput(w.Stderr)
		defer log.SetOutput(before)
	}
	err := do(w)
	_, _ = stdout.Flush(), stderr.Flush() // people's screens, as everywhere
	var told *Error
	if errors.As(err, &told) {
		told.Err = w.harmless(w.known.Error(told.Err))
	}
	return err
}

// report lets fill write a report of a format, which shows no token of the run.
func (w World) report(format string, out io.Writer, fill func(io.Writer) error) error {
	hiding := w.hiding(format, out)
	return errors.Join(fill(hiding), hiding.Flush())
}

// hiding returns a writer that hides the tokens of the run in a report of a format.
func (w World) hiding(format string, out io.Writer) *token.Writer {
	if format == "json" || format == ndjson {
		return w.known.JSONWriter(&defused{out: out})
	}
	return w.known.Writer(out)
}

// defused is a writer of JSON, whose lines may be those of a log as well.
type defused struct {
	out  io.Writer
	held []byte // the end of what was written, if a command may begin there
}

// mayBegin finds what may be the beginning of a command.
var mayBegin = regexp.MustCompile(`(?i)##?[a-z]*$`)

func (d *defused) Write(p []byte) (int, error) {
	text := slices.Concat(d.held, p)
	const longest = len("##teamcity")
	end := len(text)
	tail := text[max(0, end-longest):]
	if at := mayBegin.FindIndex(tail); at != nil {
		end -= len(tail) - at[0]
	}
	var err error
	if whole := text[:end]; bytes.Contains(whole, []byte("##")) {
		_, err = io.WriteString(d.out, sanitize.DefuseJSON(string(whole)))
	} else if end > 0 {
		_, err = d.out.Write(whole)
	}
	d.held = bytes.Clone(text[end:])
	return len(p), err
}

// harmlessLines is a writer of text that is a part of a log, none of whose lines is a
// command to it.
type harmlessLines struct {
	out  io.Writer
	log  view.Log
	held []byte // a line that has no end yet
}

func (h *harmlessLines) Write(p []byte) (int, error) {
	h.held = append(h.held, p...)
	end := bytes.LastIndexByte(h.held, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	_, err := io.WriteString(h.out, h.log.Harmless(string(h.held[:end])))
	h.held = append(h.held[:0], h.held[end:]...)
	return len(p), err
}

// flush writes the last line, if that has no end.
func (h *harmlessLines) flush() {
	_, _ = io.WriteString(h.out, h.log.Harmless(string(h.held))) // whoever needs the end has had the error
}

// know adds the token of the run, which may come from a file.
func (w World) know(t token.Token, project string) {
	if w.known != nil {
		w.known.Add(t, project)
	}
}

// Redact takes the token out of a text: that of the environment, and any that
// arguments name as one. It is for what is told before there are settings.
func (w World) Redact(text string, args ...string) string {
	known := token.Know(w.Getenv("SPIRO_TOKEN"))
	for i, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--token="); ok {
			known.AddText(value)
		}
		if i > 0 && args[i-1] == "--token" {
			known.AddText(arg)
		}
		if _, value, _ := strings.Cut(arg, "="); looksLikeToken(value) {
			known.AddText(value)
		}
		if looksLikeToken(arg) {
			known.AddText(arg)
		}
	}
	return known.Redact(text)
}

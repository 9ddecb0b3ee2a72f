package cli

import (
	"bytes"
	"errors"
	"io"
	"log"
	"regexp"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/retold"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// discreet keeps the tokens of a run out of its outputs. The client removes them from the
// server's texts; this removes them from what people type: a token that was given as the
// project's name, too, must not appear in the report.
type discreet struct {
	known     *token.Known
	bytes     io.Writer // standard output as it is, for bundles, and for tokens that the user asked for
	rawStderr io.Writer // standard error as it is
	turn      *turnout  // leads standard error around a display
	ownsLog   bool      // the run may redirect the standard logger
}

// Discreetly calls do with a world whose outputs show no token of the run. Its error,
// an [*Error], shows none either, and has the text that people read here.
func (w World) Discreetly(s Settings, do func(World) error) error {
	w.known, w.bytes = token.Know(w.Getenv("SPIRO_TOKEN")), w.Stdout
	if s.Token != nil {
		w.known.AddText(*s.Token)
	}
	w.rawStderr, w.turn = w.Stderr, &turnout{out: w.Stderr}
	stdout, stderr := w.known.Writer(w.Stdout), w.known.Writer(w.turn)
	w.Stdout, w.Stderr = stdout, stderr
	if w.ownsLog {
		// net/http logs what a server sends before the request.
		before := log.Writer()
		log.SetOutput(w.Stderr)
		defer log.SetOutput(before)
	}
	err := do(w)
	_, _ = stdout.Flush(), stderr.Flush() // nothing helps if the output is gone
	var told *Error
	if errors.As(err, &told) {
		told.Err = retold.New(w.said(s, told.Err), told.Err)
	}
	return err
}

// said returns the text of an error. On a terminal each of its parts has a line of its
// own; in the job of a CI service no line is a command.
func (w World) said(s Settings, err error) string {
	layout := fault.Line
	if isTerminal(w.rawStderr) {
		layout = fault.Lines
	}
	return w.job(w.rawStderr).Harmless(w.known.Redact(layout(err, s.Spell)))
}

// report calls fill with a writer that hides the tokens of the run in a report.
func (w World) report(format string, out io.Writer, fill func(io.Writer) error) error {
	hiding := w.hiding(format, out)
	return errors.Join(fill(hiding), hiding.Flush())
}

// hiding returns a writer that hides the tokens of the run in a format.
func (w World) hiding(format string, out io.Writer) *token.Writer {
	if format == "json" || format == ndjson {
		return w.known.JSONWriter(&defused{out: out})
	}
	return w.known.Writer(out)
}

// defused writes JSON, and breaks up texts that a CI service would take for commands if
// the JSON is part of its log.
type defused struct {
	out  io.Writer
	held []byte // the end of what was written, if a command may begin there
}

// mayBegin matches the beginning of a command at the end of a text.
var mayBegin = regexp.MustCompile(`(?i)##?[a-z]*$`)

func (d *defused) Write(p []byte) (int, error) {
	text := p
	if len(d.held) > 0 {
		text = slices.Concat(d.held, p)
	}
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

// harmlessLines writes text to a log, in which no line is a command.
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

// flush writes the last line if it has no line end.
func (h *harmlessLines) flush() {
	_, _ = io.WriteString(h.out, h.log.Harmless(string(h.held))) // an earlier write has returned the error
}

// know adds the token of the run, which may come from a file.
func (w World) know(t token.Token, project string) {
	if w.known != nil {
		w.known.Add(t, project)
	}
}

// Redact removes tokens from a text: the one of the environment, and those among args. It
// serves for messages from before there are settings.
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

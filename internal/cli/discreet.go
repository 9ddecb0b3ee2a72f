package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"regexp"
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
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
func (w World) Discreetly(ctx context.Context, s Settings, do func(World, context.Context, Settings) error) error {
	w.known, w.bytes, w.warnings = token.Know(w.Getenv("SPIRO_TOKEN"), s.Token), w.Stdout, new(warnings)
	w.rawStderr, w.turn = w.Stderr, new(turnout)
	w.turn.to(w.Stderr)
	stdout, stderr := w.known.Writer(w.Stdout), w.known.Writer(w.turn)
	w.Stdout, w.Stderr = stdout, stderr
	if w.ownsLog {
		// net/http logs what a server sends before the request.
		before := log.Writer()
		log.SetOutput(w.Stderr)
		defer log.SetOutput(before)
	}
	err := do(w, ctx, s)
	_, _ = stdout.Flush(), stderr.Flush() // nothing helps if the output is gone
	if err == nil {
		return nil
	}
	told := withStatus(err)
	told.Err = retold.New(w.said(s, told.Err), told.Err)
	return told
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
		return w.known.JSONWriter(defused(out))
	}
	return w.known.Writer(out)
}

// A careful writer changes text so that no part of it is a command to the log that it is
// in. It holds back the end of the text if a command may begin there.
type careful struct {
	out    io.Writer
	ready  func([]byte) int // how much of a text needs nothing of what comes after it
	change func(string) string
	held   []byte
}

// defused returns a writer of JSON that stays JSON.
func defused(out io.Writer) *careful {
	const longest = len("##teamcity")
	return &careful{out: out, change: sanitize.DefuseJSON, ready: func(text []byte) int {
		tail := text[max(0, len(text)-longest):]
		return len(text) - len(mayBegin.Find(tail))
	}}
}

// mayBegin matches the beginning of a command at the end of a text.
var mayBegin = regexp.MustCompile(`(?i)##?[a-z]*$`)

// harmlessLines returns a writer of text to a log, in which no line is a command.
func harmlessLines(out io.Writer, log view.Log) *careful {
	return &careful{out: out, change: log.Harmless, ready: func(text []byte) int { return bytes.LastIndexByte(text, '\n') + 1 }}
}

func (c *careful) Write(p []byte) (int, error) {
	text := p
	if len(c.held) > 0 {
		text = append(c.held, p...)
	}
	n := c.ready(text)
	err := c.write(text[:n])
	c.held = append(c.held[:0], text[n:]...)
	return len(p), err
}

// flush writes what was held back.
func (c *careful) flush() { _ = c.write(c.held) } // an earlier write has returned the error

func (c *careful) write(text []byte) error {
	before := rawjson.View(text) // a report may be large: no copy
	if after := c.change(before); after != before {
		text = []byte(after)
	}
	_, err := c.out.Write(text)
	return err
}

// Redact removes tokens from a text: the one of the environment, and those among args. It
// serves for messages from before there are settings.
func (w World) Redact(text string, args ...string) string {
	known := token.Know(w.Getenv("SPIRO_TOKEN"))
	for i, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		if name == "--token" || looksLikeToken(value) {
			known.AddText(value)
		}
		if i > 0 && args[i-1] == "--token" || looksLikeToken(arg) {
			known.AddText(arg)
		}
	}
	return known.Redact(text)
}

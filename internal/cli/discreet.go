package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"regexp"
	"strings"
	"syscall"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
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
	bytes     io.Writer    // standard output as it is, for bundles, and for tokens that the user asked for
	flush     func() error // writes what Stdout holds back, and returns the first error of all writes to it
	rawStderr io.Writer    // standard error as it is
	turn      *turnout     // leads standard error around a display
	ownsLog   bool         // the run may redirect the standard logger
}

// Discreetly calls do with a world whose outputs show no token of the run. Its error,
// an [*Error], shows none either, and has the text that people read here.
func (w World) Discreetly(ctx context.Context, s Settings, do func(World, context.Context, Settings) error) error {
	w.known, w.bytes, w.warnings = token.Know(w.Getenv("SPIRO_TOKEN"), s.Token), w.Stdout, new(warnings)
	w.rawStderr, w.turn = w.Stderr, new(turnout)
	w.turn.to(w.Stderr)
	raw := &remembering{out: w.Stdout}
	stdout, stderr := w.known.Writer(raw), w.known.Writer(w.turn)
	w.flush = func() error { return cmp.Or(stdout.Flush(), raw.err) }
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

// remembering is a writer that keeps the first error.
type remembering struct {
	out io.Writer
	err error
}

func (r *remembering) Write(p []byte) (int, error) {
	n, err := r.out.Write(p)
	r.err = cmp.Or(r.err, err)
	return n, err
}

// printed returns why standard output does not have all that was written to it. A verb calls
// it at its end if people run it for what it prints. A closed pipe is not an error.
func (w World) printed() error {
	if err := w.flush(); !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return nil
}

// PrintDigest prints the digest of a bundle, and where the bundle is. If standard output is
// closed, the digest goes to standard error.
func (w World) PrintDigest(digest, where string) error {
	out := w.Stdout
	if atomicfile.CheckStdout(w.bytes) != nil { // no error: some programs discard output in a way that looks the same
		out = w.Stderr
	}
	fmt.Fprintf(out, "%s  %s\n", digest, where)
	if err := w.printed(); err != nil {
		return fmt.Errorf("the bundle is in %s, but its digest was not printed: %w", where, err)
	}
	return nil
}

// said returns the text of an error, harmless to show. On a terminal each of its parts has a
// line of its own; in the job of a CI service no line is a command.
func (w World) said(s Settings, err error) string {
	layout := fault.Line
	if isTerminal(w.rawStderr) {
		layout = fault.Lines
	}
	return w.job(w.rawStderr).Harmless(sanitize.Text(w.known.Redact(layout(err, s.Spell))))
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

// A careful writer changes text so that a program that reads the log finds no command in
// it. It holds back the end of the text if a command may begin there.
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
		c.held = append(c.held, p...)
		text = c.held
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

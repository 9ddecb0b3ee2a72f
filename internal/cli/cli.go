// Package cli runs deployments for the command and the mage targets. It turns flags and
// environment into options of the library, and the report into text, files and an exit
// status.
package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/spirostack/spirodeploy/internal/ctxio"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// World is the environment and the outputs of a run.
type World struct {
	Getenv func(string) string
	Stdout io.Writer // gets results
	Stderr io.Writer // gets progress, warnings and errors

	discreet
	warnings *warnings
}

// warnings collects what is found before a run; the run tells it.
type warnings struct{ texts []string }

func (w *warnings) add(text string) {
	if w != nil && !slices.Contains(w.texts, text) {
		w.texts = append(w.texts, text)
	}
}

// Process returns the world of this process.
func Process() World {
	return World{Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr, discreet: discreet{ownsLog: true}}
}

// Run deploys, builds or compares, as the settings say. Its error is an [*Error].
func (w World) Run(ctx context.Context, s Settings) error {
	switch {
	case s.Output != "":
		return w.Build(ctx, s)
	case s.Diff != "":
		return w.Diff(ctx, s)
	}
	return w.Discreetly(s, func(w World) error { return w.deploy(ctx, s) })
}

// Error is an error with an exit status.
type Error struct {
	Status int
	Err    error
	Told   bool // the user has seen Err already
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// ExitStatus returns the exit status; mage calls it.
func (e *Error) ExitStatus() int { return e.Status }

// cause returns the context's cause in place of an error if the context has ended. An
// error that has a verdict stays: it wraps the cause.
func cause(ctx context.Context, err error) error {
	if errors.As(err, new(*report.UnsentError)) {
		return err
	}
	return ctxio.Cause(ctx, err)
}

// invalid returns an error with the exit status for a problem on this side.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	status := report.Invalid
	unsent := &report.UnsentError{}
	if report.Classify(err) == report.Interrupted {
		status = report.Interrupted
	} else if errors.As(err, &unsent) {
		status = report.Classify(unsent)
	}
	return &Error{Status: status.ExitStatus(), Err: err}
}

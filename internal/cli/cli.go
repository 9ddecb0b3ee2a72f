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
	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
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
	if !slices.Contains(w.texts, text) {
		w.texts = append(w.texts, text)
	}
}

// Process returns the world of this process.
func Process() World {
	return World{Getenv: os.Getenv, Stdout: os.Stdout, Stderr: os.Stderr, discreet: discreet{ownsLog: true}}
}

// Run deploys, builds or compares, as the settings say. Its error is an [*Error].
func (w World) Run(ctx context.Context, s Settings) error {
	switch { // an empty flag says what was meant, and ends there
	case s.Output != "", slices.Contains(s.blank, "output"):
		return w.Build(ctx, s)
	case s.Diff != "", slices.Contains(s.blank, "diff"):
		return w.locally(ctx, s, World.diff)
	}
	return w.Discreetly(ctx, s, World.deploy)
}

// locally calls do, which needs no server, with the options of the bundle.
func (w World) locally(ctx context.Context, s Settings, do func(World, context.Context, Settings, bundle.Options) error) error {
	return w.Discreetly(ctx, s, func(w World, ctx context.Context, s Settings) error {
		opts, err := w.bundleOptions(s, s.inputs())
		if err := errlist.Join(s.Contradictions(), err); err != nil {
			return err
		}
		ctx, cancel := s.limit(ctx)
		defer cancel()
		err = do(w, ctx, s, opts)
		if errors.As(err, new(*report.UnsentError)) { // it wraps the context's cause, and has a verdict
			return err
		}
		return ctxio.Cause(ctx, err)
	})
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

// withStatus returns an error of a run with its exit status: that of a problem on this
// side, unless the error says another.
func withStatus(err error) *Error {
	status := report.Invalid
	e, unsent := &Error{}, &report.UnsentError{}
	switch {
	case errors.As(err, &e):
		return e
	case report.Classify(err) == report.Interrupted:
		status = report.Interrupted
	case errors.As(err, &unsent):
		status = report.Classify(unsent)
	}
	return &Error{Status: status.ExitStatus(), Err: err}
}

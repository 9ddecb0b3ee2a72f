// Package fault describes an error in four parts: what failed, why, what became of the
// deployment, and what to do. [Line] and [Lines] format them, and spell the options in
// hints in the way of the front end, such as --ssl-cert.
package fault

import (
	"errors"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/errlist"
)

// Parts are the parts of an error. Each may be empty.
type Parts struct {
	What    string // what failed, such as "check token"
	Why     string // why it failed
	Outcome string // what became of the deployment, such as "nothing was deployed"
	Help    Hint   // what to do
}

// An Explainer is an error with parts.
type Explainer interface {
	error
	Explain() Parts
}

// Error is an error made of parts.
type Error struct {
	What    string
	Err     error // why
	Outcome string
	Help    Hint
}

// Explain returns the parts. Why is the text of Err.
func (e *Error) Explain() Parts {
	p := Parts{What: e.What, Outcome: e.Outcome, Help: e.Help}
	if e.Err != nil {
		p.Why = e.Err.Error()
	}
	return p
}

// Error returns the parts in one line, with options spelled as fields of Go structs.
func (e *Error) Error() string { return e.Explain().String() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// String returns the parts in one line, with options spelled as fields of Go structs.
func (p Parts) String() string { return p.line(nil) }

func (p Parts) line(spell Speller) string {
	text := join(": ", p.What, p.Why, p.Help.Spell(spell))
	return join("; ", text, p.Outcome)
}

// lines returns what failed and why in the first line, where a person looks, and the
// other parts below it.
func (p Parts) lines(spell Speller) string {
	return join("\n  ", join(": ", p.What, p.Why), p.Outcome, p.Help.Spell(spell))
}

// join joins the texts that are not empty.
func join(by string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), by)
}

// Line formats an error, and all errors that it wraps, with the parts in one line. Several
// problems are a list with a line for each. A nil Speller spells options as fields of Go
// structs.
func Line(err error, spell Speller) string {
	return layout(err, func(p Parts) string { return p.line(spell) })
}

// Lines formats an error like [Line], with the outcome and the hint in lines of their own,
// for a terminal.
func Lines(err error, spell Speller) string {
	return layout(err, func(p Parts) string { return p.lines(spell) })
}

// layout formats an error with lay if it has parts. In an error without parts, it replaces
// the text of those that it wraps.
func layout(err error, lay func(Parts) string) string {
	text := err.Error()
	switch e := err.(type) { //nolint:errorlint // wrapped errors follow below
	case Explainer:
		parts, inner := e.Explain(), errors.Unwrap(err)
		var list interface{ Unwrap() []error }
		if errors.As(inner, &list) {
			parts.Why = replaced(parts.Why, inner, lay) // each problem keeps its parts
		} else if inner != nil {
			parts.Why = replaced(parts.Why, inner, func(p Parts) string {
				// The outcome of the outer error comes last.
				if p.Outcome != parts.Outcome {
					parts.Outcome = join("; ", p.Outcome, parts.Outcome)
				}
				if parts.Help == "" {
					parts.Help = p.Help
				}
				return join(": ", p.What, p.Why)
			})
		}
		return lay(parts)
	case interface{ Unwrap() []error }:
		errs := e.Unwrap()
		if text != errlist.Text(errs) {
			for _, inner := range errs {
				text = replaced(text, inner, lay)
			}
			return text
		}
		texts := make([]string, len(errs))
		for i, inner := range errs {
			texts[i] = layout(inner, lay)
		}
		return errlist.List(texts)
	}
	if inner := errors.Unwrap(err); inner != nil {
		return replaced(text, inner, lay)
	}
	return text
}

// replaced returns a text in which the text of an error is formatted.
func replaced(text string, err error, lay func(Parts) string) string {
	return strings.Replace(text, err.Error(), layout(err, lay), 1)
}

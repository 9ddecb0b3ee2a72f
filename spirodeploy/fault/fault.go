// Package fault describes an error in four parts: what failed, why, what became of
// the deployment, and what to do about it. [Line] and [Lines] lay them out, and spell
// the options that a hint names as the front end does that the person uses.
package fault

import (
	"errors"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/errlist"
)

// Parts are what an error says. Each may be empty.
type Parts struct {
	What    string // what failed, such as "check token"
	Why     string // why it failed
	Outcome string // what became of the deployment, such as "nothing was deployed"
	Help    Hint   // what to do
}

// An Explainer is an error that knows its parts.
type Explainer interface {
	error
	Explain() Parts
}

// Error is an error made of its parts.
type Error struct {
	What    string
	Err     error // why
	Outcome string
	Help    Hint
}

// Explain returns the parts. Why is the text of Err.
func (e *Error) Explain() Parts {
	return Parts{What: e.What, Why: e.Err.Error(), Outcome: e.Outcome, Help: e.Help}
}

// Error returns the parts in a line, with options spelled as fields of Go structs.
func (e *Error) Error() string { return e.Explain().String() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// String returns the parts in a line, with options spelled as fields of Go structs.
func (p Parts) String() string { return p.line(nil) }

func (p Parts) line(spell Speller) string {
	text := join(": ", p.What, p.Why, p.Help.Spell(spell))
	return join("; ", text, p.Outcome)
}

// lines puts what failed and why into a line, as that is what a person looks for,
// and the other parts below it.
func (p Parts) lines(spell Speller) string {
	return join("\n  ", join(": ", p.What, p.Why), p.Outcome, p.Help.Spell(spell))
}

// join joins the texts that are not empty.
func join(by string, texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), by)
}

// Line returns what an error says, and all that it wraps, with its parts in one line.
// Several problems are a list, with a line for each. A nil Speller spells options as
// fields of Go structs.
func Line(err error, spell Speller) string {
	return layout(err, func(p Parts) string { return p.line(spell) })
}

// Lines returns what an error says, and all that it wraps, with each part in a line of
// its own: for a terminal.
func Lines(err error, spell Speller) string {
	return layout(err, func(p Parts) string { return p.lines(spell) })
}

// layout finds the error that has parts. An error that wraps it with more words keeps
// them.
func layout(err error, lay func(Parts) string) string {
	text := err.Error()
	switch e := err.(type) { //nolint:errorlint // wrapped errors follow below
	case Explainer:
		parts := e.Explain()
		if inner := errors.Unwrap(err); inner != nil {
			parts.Why = replaced(parts.Why, inner, func(p Parts) string {
				// What follows the reason of the outer error comes last.
				parts.Outcome = join("; ", p.Outcome, parts.Outcome)
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

// replaced returns a text with what an error in it says laid out.
func replaced(text string, err error, lay func(Parts) string) string {
	return strings.Replace(text, err.Error(), layout(err, lay), 1)
}

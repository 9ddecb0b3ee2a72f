package step

import (
	"errors"
	"regexp"

	"github.com/spirostack/spirodeploy/internal/retold"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// named returns an error in the words of the user, who knows the argument dir, and not
// the place of its mount.
func (s step) named(err error) error {
	var problems bundle.Problems
	if !errors.As(err, &problems) {
		return s.namedError(err)
	}
	renamed := make(bundle.Problems, len(problems))
	for i, p := range problems {
		renamed[i] = bundle.Problem{Path: s.namedText(p.Path), Err: p.Err, Hint: s.namedHint(p.Hint)}
		if !errors.Is(p.Err, bundle.ErrLink) { // where a link leads is the tree's own
			renamed[i].Err = s.namedError(p.Err)
		}
	}
	return renamed
}

// namedHint returns a hint that names arguments of the module's functions.
func (s step) namedHint(hint fault.Hint) fault.Hint {
	return fault.Hint(fault.Literal(s.namedText(hint.Spell(func(o fault.Option) string { return arguments[o] }))))
}

// arguments are the options that the module's functions have.
var arguments = map[fault.Option]string{
	fault.Artifact: "--artifacts", fault.Dir: "--dir", fault.Exclude: "--exclude", fault.Source: "--include-source",
}

func (s step) namedError(err error) error {
	if err == nil {
		return nil
	}
	if text := s.namedText(err.Error()); text != err.Error() {
		return retold.New(text, err)
	}
	return err
}

// namedText replaces mounts in a text: a path below the project directory becomes
// relative to it, and the files of other steps are below _artifacts.
func (s step) namedText(text string) string {
	for _, place := range []struct{ at, below, itself string }{
		{s.at(ProjectDir), "", "dir"},
		{s.at(BuiltDir), "_artifacts/", "what with-artifact added"},
	} {
		at := regexp.QuoteMeta(place.at)
		text = regexp.MustCompile(`(^|[ ("])`+at+`/`).ReplaceAllString(text, "${1}"+place.below)
		text = regexp.MustCompile(`(^|[ ("])`+at+`($|[ :,")?])`).ReplaceAllString(text, "${1}"+place.itself+"${2}")
	}
	return text
}

package step

import (
	"errors"
	"regexp"

	"github.com/spirostack/spirodeploy/internal/module/args"
	"github.com/spirostack/spirodeploy/internal/retold"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// named returns the problems of a tree in the words of the user, who knows the argument
// dir, and not the place of its mount.
func (s step) named(err error) []error {
	problems := bundle.Problems{}
	if !errors.As(err, &problems) {
		return []error{s.namedError(err)}
	}
	var all []error
	for _, p := range problems {
		if !errors.Is(p.Err, bundle.ErrLink) { // where a link leads is the tree's own
			p.Err = s.namedError(p.Err)
		}
		p.Path, p.Hint = s.namedText(p.Path), fault.Hint(fault.Literal(s.namedText(p.Hint.Spell(args.Spell))))
		all = append(all, p)
	}
	return all
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

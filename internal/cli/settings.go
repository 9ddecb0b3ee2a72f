package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Settings are the values of flags, by the names of the flags.
type Settings struct {
	Project        string
	Deployment     string
	Dir            string
	Artifacts      []string // PATH or NAME=PATH
	Source         string   // filesystem, fs, git or empty
	Exclude        []string
	GitDescribe    string
	NoHighstate    bool
	RequireMinions bool
	MissingMinions string   // fail, warn or empty
	ExpectMinions  []string // ids that have to be reached
	ExpectFrom     string   // a report whose minions have to be reached
	MinMinions     int
	Strict         bool     // a warning before the upload is a problem
	Server         string   // empty: SPIRO_URL
	Servers        []string // several servers; Server is empty then
	Targets        string   // a file that lists them
	Rollout        string   // parallel, serial or empty
	MaxParallel    int
	Token          *string // nil: SPIRO_TOKEN
	TokenFile      string
	SSLCert        string
	Insecure       bool
	ConnectTimeout time.Duration
	Timeout        time.Duration
	MaxEvent       string // size of the largest event that is accepted
	Bundle         string // deploy this bundle instead of building one
	Digest         string
	Output         string // write the bundle here and stop
	Diff           string // a bundle to compare with, and stop
	DryRun         bool
	Reports        []string // FORMAT=FILE
	FullToken      bool     // send the token as it is, not narrowed to the project
	Verbose        bool
	Quiet          bool
	Color          string // auto, always, never or empty

	// Defaults apply if neither flags nor the environment say anything.
	Defaults Defaults

	// Mage spells flags as mage does: -dryRun, not --dry-run.
	Mage bool

	// For a narrower token, written to Output.
	Projects []string
	Lifetime *time.Duration

	blank []string // flags that were given and are empty
}

// Defaults are the settings of a program that embeds the run.
type Defaults struct {
	Server    string
	TokenFile string
	Token     func(context.Context) (string, error)
}

// Text returns the value of a flag, and notes an error if the flag is given and empty:
// most often a variable is not set, and the run must not go on as if the flag were not
// there. The name is that of the command's flag without the dashes.
func (s *Settings) Text(name string, flag *string) string {
	if flag == nil {
		return ""
	}
	value := strings.TrimSpace(*flag)
	if value == "" {
		s.blank = append(s.blank, name)
	}
	return value
}

// List returns the values of a flag that takes several, separated by commas. Like Text it
// notes an error if the flag is empty.
func (s *Settings) List(name string, flag *string) []string { return Split(s.Text(name, flag)) }

// Several sets the servers from a flag that can be repeated.
func (s *Settings) Several(name string, urls []string) {
	for i := range urls {
		urls[i] = s.Text(name, &urls[i])
	}
	if len(urls) == 1 {
		s.Server, urls = urls[0], nil
	}
	s.Servers = urls
}

// limit returns a context that ends with the run's time limit, if there is one.
func (s *Settings) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, s.Timeout, report.ErrTimeout)
}

// flag spells a flag of the command for this front end.
func (s *Settings) flag(name string) string {
	switch {
	case !s.Mage:
		return "--" + name
	case name == "include-source":
		return "-source"
	}
	words := strings.Split(name, "-")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return "-" + strings.Join(words, "")
}

// Spell spells the options of hints for this front end.
func (s *Settings) Spell(o fault.Option) string {
	switch o {
	case fault.Project, fault.Deployment:
		return strings.ToUpper(string(o))
	case fault.Server:
		return "SPIRO_URL or " + s.flag("server")
	case fault.Token:
		return "SPIRO_TOKEN or " + s.flag("token-file")
	}
	return s.flag(string(o))
}

// withFlag spells the name of a flag, and returns other words as they are.
func (s *Settings) withFlag(name string) string {
	if strings.Contains(name, " ") {
		return name
	}
	return s.flag(name)
}

// empty returns the error for a flag that is given and has no value.
func (s *Settings) empty(name string) error {
	return &fault.Error{Err: fmt.Errorf("%s is given and empty", s.flag(name)), Help: "is a variable not set?"}
}

// contradictions returns what is wrong with the flags by themselves.
func (s *Settings) contradictions() error {
	var errs []error
	for _, name := range s.blank {
		errs = append(errs, s.empty(name))
	}
	useless := func(given bool, flag, with, why string) {
		if given {
			errs = append(errs, &fault.Error{Err: fmt.Errorf("%s has no effect with %s, which %s", s.flag(flag), s.withFlag(with), why), Help: "leave one of them out"})
		}
	}
	if s.Diff != "" {
		const why = "only compares"
		useless(s.Output != "", "output", "diff", why)
		useless(s.DryRun, "dry-run", "diff", why)
		useless(len(s.Reports) > 0, "report", "diff", why)
		useless(s.Digest != "", "digest", "diff", why)
	}
	if s.Bundle != "" {
		const why = "is a whole bundle"
		useless(s.Output != "", "output", "bundle", why)
		useless(len(s.Artifacts) > 0, "artifact", "bundle", why)
		useless(s.Source != "", "include-source", "bundle", why)
		useless(len(s.Exclude) > 0, "exclude", "bundle", why)
		useless(s.GitDescribe != "", "git-describe", "bundle", why)
		useless(s.Dir != "", "dir", "bundle", why)
	}
	if s.Targets != "" {
		useless(s.Server != "" || len(s.Servers) > 0, "server", "targets", "names the servers")
	} else {
		few := len(s.Servers) < 2
		useless(few && s.Rollout != "", "rollout", "a single server", "is all there is")
		useless(few && s.MaxParallel != 0, "max-parallel", "a single server", "is all there is")
	}
	useless(s.Rollout == serial && s.MaxParallel != 0, "max-parallel", "rollout", "is serial")
	if s.Rollout != "" && s.Rollout != serial && s.Rollout != parallel {
		errs = append(errs, fmt.Errorf("%s %q: it is parallel or serial", s.flag("rollout"), s.Rollout))
	}
	if s.MaxParallel < 0 {
		errs = append(errs, fmt.Errorf("%s must not be negative", s.flag("max-parallel")))
	}
	if s.Output != "" {
		const why = "only writes the bundle"
		useless(s.Targets != "", "targets", "output", why)
		useless(s.DryRun, "dry-run", "output", why)
		useless(len(s.Reports) > 0, "report", "output", why)
	}
	s.pointless(useless)
	errs = append(errs, s.checkExpectations()...)
	useless(s.Quiet && s.Verbose, "verbose", "quiet", "tells the verdict alone")
	errs = append(errs, s.checkView())
	errs = append(errs, s.checkSize())
	if s.Timeout < 0 || s.ConnectTimeout < 0 {
		errs = append(errs, errors.New("a timeout must not be negative"))
	}
	return errlist.Join(errs...)
}

// pointless calls useless with the flags about minions that have no effect.
func (s *Settings) pointless(useless func(given bool, flag, with, why string)) {
	asked := s.expectations()
	for _, flag := range slices.Sorted(maps.Keys(asked)) {
		useless(s.NoHighstate && asked[flag], flag, "no-highstate", "asks no minion")
		useless(s.Output != "" && asked[flag], flag, "output", "only writes the bundle")
		useless(s.Diff != "" && asked[flag], flag, "diff", "only compares")
	}
	useless(s.Diff != "" && s.Strict, "strict", "diff", "only compares")
	useless(s.Diff != "" && s.MissingMinions != "", "missing-minions", "diff", "only compares")
}

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// Settings are the values of flags. The tags are those of the command's flags, of which
// none is split at commas (sep:"none"). The environment is read by this package, which
// knows what is blank.
type Settings struct {
	Project    string `arg:"" optional:"" help:"Project to deploy."`
	Deployment string `arg:"" optional:"" help:"Deployment of the project: its saltenv is PROJECT/DEPLOYMENT."`

	Dir         string   `group:"bundle" placeholder:"DIR" help:"Project directory (default: the working directory)."`
	Artifacts   []string `name:"artifact" group:"bundle" placeholder:"PATH" sep:"none" help:"Add a file or directory that the build made, as _artifacts/PATH; NAME=PATH puts it at _artifacts/NAME. Repeatable."`
	Source      string   `name:"include-source" group:"bundle" placeholder:"fs|git" help:"Add the source as _source: all files (filesystem, fs), or those of the commit HEAD (git)."`
	Exclude     []string `group:"bundle" placeholder:"PATTERN" sep:"none" help:"Leave out entries that match: '*.pyc' at any depth, '_source/web/**' from the root of the bundle. Repeatable."`
	GitDescribe string   `group:"bundle" placeholder:"all|tags|off" help:"How the second line of .gitcommit describes the commit (default: all)."`
	Bundle      string   `group:"bundle" placeholder:"FILE" help:"Take this bundle instead of building one: a file, or oci://REGISTRY/NAME:TAG or …@DIGEST."`
	Digest      string   `group:"bundle" placeholder:"sha256:…" help:"Refuse a bundle with any other digest."`

	Servers        []string       `name:"server" group:"server" placeholder:"URL" sep:"none" help:"Server to deploy to (default: SPIRO_URL, or https://salt:4510/). Repeatable: the same bundle then goes to all of them."`
	Targets        string         `group:"server" placeholder:"FILE" help:"List of targets, in YAML: name, server, project, deployment, certificate, insecure, token-variable, token-file."`
	Rollout        string         `group:"server" placeholder:"parallel|serial" help:"Whether to deploy to all servers at once, or to one after the other until one fails (default: parallel)."`
	MaxParallel    int            `group:"server" placeholder:"N" help:"How many servers at once, at most (default: all)."`
	Token          string         `group:"server" placeholder:"TOKEN" help:"Token (default: SPIRO_TOKEN). Everybody on this machine can see it here: use SPIRO_TOKEN or --token-file."`
	TokenFile      string         `group:"server" placeholder:"FILE" help:"File with the token."`
	NarrowToken    *bool          `group:"server" negatable:"" help:"Send the token narrowed to PROJECT (default: yes)."`
	SSLCert        string         `group:"server" name:"ssl-cert" placeholder:"FILE" help:"Trust this certificate or CA (PEM) instead of the system's."`
	Insecure       bool           `group:"server" help:"Verify nothing, and allow plain HTTP."`
	ConnectTimeout *time.Duration `group:"server" placeholder:"DURATION" help:"Time limit for connecting (default: 20s)."`

	RegistryCert   string `group:"registry" placeholder:"FILE" help:"Trust this certificate or CA (PEM) of the registry, beside the system's."`
	RegistryPlain  bool   `group:"registry" help:"Speak plain HTTP with the registry."`
	RegistrySource string `group:"registry" placeholder:"URL" help:"Note where the source is with a bundle that is pushed."`

	Highstate      *bool         `group:"run" negatable:"" help:"Apply the states to the minions concerned (default: yes)."`
	RequireMinions bool          `group:"run" help:"Fail if no minion is concerned."`
	MissingMinions string        `group:"run" placeholder:"fail|warn" help:"Whether the run fails or warns if a minion that the top file names by its id is not reached, or if no minion is (default: fail)."`
	ExpectMinions  []string      `name:"expect-minion" group:"run" placeholder:"ID" sep:"none" help:"Fail if this minion is not reached. Repeatable."`
	ExpectFrom     string        `group:"run" placeholder:"FILE" help:"Fail if a minion of this earlier JSON report is not reached."`
	MinMinions     int           `group:"run" placeholder:"N" help:"Fail if fewer minions are reached."`
	Strict         bool          `group:"run" help:"Send nothing if there is a warning before the upload."`
	Timeout        time.Duration `group:"run" placeholder:"DURATION" help:"Time limit for the whole run (default: none)."`
	MaxEvent       string        `group:"run" placeholder:"SIZE" help:"Size of the largest event that is accepted (default: 16MiB). A minion with a larger result counts as failed."`

	Output string `group:"instead" placeholder:"FILE" help:"Write the bundle and stop: to a file, - for standard output, or oci://REGISTRY/NAME:TAG."`
	Diff   string `group:"instead" placeholder:"FILE" help:"Print how the bundle differs from this one, and stop."`
	DryRun bool   `group:"instead" help:"Build, check token and server, and list what would be sent. Send nothing."`

	Verbose bool     `group:"shown" short:"v" help:"Show every state, and the slowest ones."`
	Quiet   bool     `group:"shown" short:"q" help:"Show only the verdict."`
	Color   string   `group:"shown" placeholder:"auto|always|never" help:"When to colour (default: auto, on a terminal and in the logs of GitHub and GitLab unless NO_COLOR is set)."`
	Reports []string `name:"report" group:"shown" placeholder:"FORMAT=FILE" sep:"none" help:"Write a report: ${formats}. FILE - is standard output. Repeatable."`

	// Defaults apply if neither flags nor the environment say anything.
	Defaults Defaults `kong:"-"`

	// Mage spells flags as mage does: -dryRun, not --dry-run.
	Mage bool `kong:"-"`

	// For a narrower token, written to Output.
	Projects []string       `kong:"-"`
	Lifetime *time.Duration `kong:"-"`

	blank []string // flags that were given and are empty
	gaps  []string // flags with an empty value among others
}

// NoHighstate reports whether no minion applies the states.
func (s *Settings) NoHighstate() bool { return s.Highstate != nil && !*s.Highstate }

// FullToken reports whether the token is sent as it is, not narrowed to the project.
func (s *Settings) FullToken() bool { return s.NarrowToken != nil && !*s.NarrowToken }

// Blank reports whether a flag was given and is empty.
func (s *Settings) Blank() bool { return len(s.blank) > 0 }

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
	value := strings.TrimSpace(Or(flag))
	if flag != nil && value == "" && !slices.Contains(s.blank, name) {
		s.blank = append(s.blank, name)
	}
	return value
}

// All returns the values of a flag that can be repeated. Like Text it notes an error if
// one is empty.
func (s *Settings) All(name string, values []string) []string {
	return slices.DeleteFunc(values, func(value string) bool { return s.Text(name, &value) == "" })
}

// List returns the values of a flag that takes several, separated by commas. Like Text it
// notes an error if the flag is given and all of its values are empty, or one among others.
// A blank value is empty.
func (s *Settings) List(name string, flag *string) []string {
	values := Split(Or(flag))
	if flag == nil {
		return values
	}
	all := strings.Join(values, "")
	given := len(values)
	values = slices.DeleteFunc(values, func(value string) bool { return strings.TrimSpace(value) == "" })
	if s.Text(name, &all) != "" && (len(values) < given || hasGap(*flag)) {
		s.gaps = append(s.gaps, name)
	}
	return values
}

// limit returns a context that ends with the run's time limit, if there is one.
func (s *Settings) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.Timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, s.Timeout, report.ErrTimeout)
}

// Flag spells a flag of the command for this front end.
func (s *Settings) Flag(name string) string {
	positive, no := strings.CutPrefix(name, "no-")
	switch {
	case !s.Mage:
		return "--" + name
	case no:
		return s.Flag(positive) + "=false"
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
	case fault.Insecure:
		if s.Targets != "" && !s.Insecure { // the flag would be for all targets
			return `"insecure: true" in the list`
		}
	case fault.SSLCert:
		if s.Targets != "" && s.SSLCert == "" {
			return `"certificate" in the list`
		}
	case fault.Server:
		if s.Targets != "" {
			return `"server" in the list`
		}
		return "SPIRO_URL or " + s.Flag("server")
	case fault.Init:
		if s.Mage {
			return "mage spiro:init"
		}
		return "spiro-deploy init"
	case fault.RegistryLogin:
		return `"docker login"`
	case fault.Token:
		return "SPIRO_TOKEN or " + s.Flag("token-file")
	}
	return s.Flag(string(o))
}

// clashes are flags that have no effect with another one. Flags about a server and its token
// may stay: a job often gives them to all of its calls.
var clashes = []struct{ with, why, flags string }{
	{"diff", "only compares", "strict missing-minions output dry-run report digest " + naming + asking},
	{"bundle", "is a whole bundle", "output artifact include-source exclude git-describe dir"},
	{"targets", "names the servers", "server"},
	{"output", "only writes the bundle", "dry-run report " + naming + asking},
	{"no-highstate", "asks no minion", asking},
	{"quiet", "tells the verdict alone", "verbose"},
	{"registry-plain", "needs no certificate", "registry-cert"},
}

// asking are the flags that ask for minions.
const asking = "expect-from expect-minion min-minions require-minions"

// naming are the flags that say which of several servers get the bundle.
const naming = "targets rollout max-parallel "

// empty returns an error for each flag that is given and empty.
func (s *Settings) empty() (errs []error) {
	for _, name := range s.blank {
		errs = append(errs, &fault.Error{Err: fmt.Errorf("%s is given and empty", s.Flag(name)), Help: "is a variable not set?"})
	}
	for _, name := range s.gaps {
		errs = append(errs, &fault.Error{Err: fmt.Errorf("%s has an empty value", s.Flag(name)), Help: "is a variable not set?"})
	}
	if slices.ContainsFunc(s.Servers, func(url string) bool { return strings.TrimSpace(url) == "" }) { // it would be the default server
		errs = append(errs, &fault.Error{Err: fmt.Errorf("%s has an empty value", s.Flag("server")), Help: "is a variable not set?"})
	}
	return errs
}

// Contradictions returns what is wrong with the flags by themselves.
func (s *Settings) Contradictions() error {
	given := s.given()
	return errlist.Join(slices.Concat(s.empty(), s.useless(given), s.checkRegistry(given), s.checkExpectations(), s.checkValues())...)
}

// useless returns an error for each flag that has no effect.
func (s *Settings) useless(given map[string]bool) (errs []error) {
	useless := func(flag, with, why string) {
		errs = append(errs, &fault.Error{Err: fmt.Errorf("%s has no effect with %s, which %s", s.Flag(flag), with, why), Help: "leave one of them out"})
	}
	for _, clash := range clashes {
		for flag := range strings.FieldsSeq(clash.flags) {
			if given[clash.with] && given[flag] {
				useless(flag, s.Flag(clash.with), clash.why)
			}
		}
	}
	if s.Rollout == serial && s.MaxParallel != 0 {
		useless("max-parallel", s.Flag("rollout"), "is serial")
	}
	local := given["output"] || given["diff"]
	for _, flag := range []string{"rollout", "max-parallel"} {
		if given[flag] && !local && s.Targets == "" && len(s.Servers) < 2 {
			errs = append(errs, fmt.Errorf("%s has no effect: there is only one server", s.Flag(flag)))
		}
	}
	return errs
}

// checkValues returns an error for each bad value.
func (s *Settings) checkValues() (errs []error) {
	for _, url := range s.Servers {
		errs = append(errs, s.oneURL(s.Flag("server"), url))
	}
	oneOf := func(flag, value string, words ...string) {
		if last := len(words) - 1; value != "" && !slices.Contains(words, value) {
			errs = append(errs, fmt.Errorf("%s %q: it is %s or %s", s.Flag(flag), value, strings.Join(words[:last], ", "), words[last]))
		}
	}
	oneOf("rollout", s.Rollout, parallel, serial)
	oneOf("color", s.Color, auto, always, never)
	oneOf("missing-minions", s.MissingMinions, string(report.Fail), string(report.Warn))
	if _, err := parseSize(s.MaxEvent); err != nil && s.MaxEvent != "" {
		errs = append(errs, fmt.Errorf("%s %q: %w", s.Flag("max-event"), s.MaxEvent, err))
	}
	if s.Timeout < 0 {
		errs = append(errs, fmt.Errorf("%s must not be negative", s.Flag("timeout")))
	}
	if s.ConnectTimeout != nil && *s.ConnectTimeout <= 0 { // the client would take its default
		errs = append(errs, fmt.Errorf("%s must be more than 0", s.Flag("connect-timeout")))
	}
	return errs
}

// given reports which flags are given. It knows those that [Settings.Contradictions] compares.
func (s *Settings) given() map[string]bool {
	return map[string]bool{
		"artifact": len(s.Artifacts) > 0, "bundle": s.Bundle != "", "diff": s.Diff != "", "digest": s.Digest != "", "dir": s.Dir != "",
		"dry-run": s.DryRun, "exclude": len(s.Exclude) > 0, "git-describe": s.GitDescribe != "", "include-source": s.Source != "", "output": s.Output != "",
		"expect-from": s.ExpectFrom != "", "expect-minion": len(s.ExpectMinions) > 0, "min-minions": s.MinMinions != 0, "require-minions": s.RequireMinions,
		"missing-minions": s.MissingMinions != "", "no-highstate": s.NoHighstate(), "report": len(s.Reports) > 0, "strict": s.Strict,
		"max-parallel": s.MaxParallel != 0, "rollout": s.Rollout != "", "server": len(s.Servers) > 0, "targets": s.Targets != "",
		"quiet": s.Quiet, "verbose": s.Verbose,
		"registry-cert": s.RegistryCert != "", "registry-plain": s.RegistryPlain, "registry-source": s.RegistrySource != "",
	}
}

package command

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
)

// flags are the command line. The environment is read by package cli, which
// knows what is blank. A value is never split at commas (sep:"none").
type flags struct {
	Project    string `arg:"" optional:"" help:"Project to deploy."`
	Deployment string `arg:"" optional:"" help:"Deployment of the project: its saltenv is PROJECT/DEPLOYMENT."`

	Dir           *string  `group:"bundle" placeholder:"DIR" help:"Project directory (default: the working directory)."`
	Artifact      []string `group:"bundle" placeholder:"PATH" sep:"none" help:"Add a file or directory that the build made, as _artifacts/PATH; NAME=PATH puts it at _artifacts/NAME. Repeatable."`
	IncludeSource *string  `group:"bundle" placeholder:"fs|git" help:"Add the source as _source: all files (filesystem, fs), or those of the commit HEAD (git)."`
	Exclude       []string `group:"bundle" placeholder:"PATTERN" sep:"none" help:"Leave out entries that match: '*.pyc' at any depth, '_source/web/**' from the root of the bundle. Repeatable."`
	GitDescribe   *string  `group:"bundle" placeholder:"all|tags|off" help:"How the second line of .gitcommit describes the commit (default: all)."`
	Bundle        *string  `group:"bundle" placeholder:"FILE" help:"Take this bundle instead of building one: a file, or oci://REGISTRY/NAME:TAG or …@DIGEST."`
	Digest        *string  `group:"bundle" placeholder:"sha256:…" help:"Refuse a bundle with any other digest."`

	Server         []string      `group:"server" placeholder:"URL" sep:"none" help:"Server to deploy to (default: SPIRO_URL, or https://salt:4510/). Repeatable: the same bundle then goes to all of them."`
	Targets        *string       `group:"server" placeholder:"FILE" help:"List of targets, in YAML: name, server, project, deployment, certificate, token-variable, token-file."`
	Rollout        *string       `group:"server" placeholder:"parallel|serial" help:"Whether to deploy to all servers at once, or to one after the other until one fails (default: parallel)."`
	MaxParallel    int           `group:"server" placeholder:"N" help:"How many servers at once, at most (default: all)."`
	Token          *string       `group:"server" placeholder:"TOKEN" help:"Token (default: SPIRO_TOKEN). Everybody on this machine can see it here: use SPIRO_TOKEN or --token-file."`
	TokenFile      *string       `group:"server" placeholder:"FILE" help:"File with the token."`
	NarrowToken    bool          `group:"server" default:"true" negatable:"" help:"Send the token narrowed to PROJECT (default: yes)."`
	SSLCert        *string       `group:"server" name:"ssl-cert" placeholder:"FILE" help:"Trust this certificate or CA (PEM) instead of the system's."`
	Insecure       bool          `group:"server" help:"Verify nothing, and allow plain HTTP."`
	ConnectTimeout time.Duration `group:"server" default:"20s" placeholder:"DURATION" help:"Time limit for connecting (default: 20s)."`

	RegistryCert   *string `group:"registry" placeholder:"FILE" help:"Trust this certificate or CA (PEM) of the registry, beside the system's."`
	RegistryPlain  bool    `group:"registry" help:"Speak plain HTTP with the registry."`
	RegistrySource *string `group:"registry" placeholder:"URL" help:"Note where the source is with a bundle that is pushed."`

	Highstate      bool          `group:"run" default:"true" negatable:"" help:"Apply the states to the minions concerned (default: yes)."`
	RequireMinions bool          `group:"run" help:"Fail if no minion is concerned."`
	MissingMinions *string       `group:"run" placeholder:"fail|warn" help:"Whether the run fails or warns if a minion that the top file names by its id is not reached, or if no minion is (default: fail)."`
	ExpectMinion   []string      `group:"run" placeholder:"ID" sep:"none" help:"Fail if this minion is not reached. Repeatable."`
	ExpectFrom     *string       `group:"run" placeholder:"FILE" help:"Fail if a minion of this earlier JSON report is not reached."`
	MinMinions     int           `group:"run" placeholder:"N" help:"Fail if fewer minions are reached."`
	Strict         bool          `group:"run" help:"Send nothing if there is a warning before the upload."`
	Timeout        time.Duration `group:"run" placeholder:"DURATION" help:"Time limit for the whole run (default: none)."`
	MaxEvent       *string       `group:"run" placeholder:"SIZE" help:"Size of the largest event that is accepted (default: 16MiB). A minion with a larger result counts as failed."`

	Output *string `group:"instead" placeholder:"FILE" help:"Write the bundle and stop: to a file, - for standard output, or oci://REGISTRY/NAME:TAG."`
	Diff   *string `group:"instead" placeholder:"FILE" help:"Print how the bundle differs from this one, and stop."`
	DryRun bool    `group:"instead" help:"Build, check token and server, and list what would be sent. Send nothing."`

	Verbose bool     `group:"shown" short:"v" help:"Show every state, and the slowest ones."`
	Quiet   bool     `group:"shown" short:"q" help:"Show only the verdict."`
	Color   *string  `group:"shown" placeholder:"auto|always|never" help:"When to colour (default: auto, on a terminal and in the logs of GitHub and GitLab unless NO_COLOR is set)."`
	Report  []string `group:"shown" placeholder:"FORMAT=FILE" sep:"none" help:"Write a report: json, ndjson, junit, html or markdown. FILE - is standard output. Repeatable."`

	Version    versionFlag `group:"other" help:"Show the version."`
	Completion *string     `group:"other" placeholder:"bash|zsh|fish" help:"Print the script that makes a shell complete the flags."`
}

// check returns what is missing.
func (f *flags) check() error {
	switch {
	case f.Targets != nil: // the list may name project and deployment
		return nil
	case f.Output != nil, f.Diff != nil, f.Completion != nil:
		return nil
	case f.Project == "":
		return errors.New("PROJECT is missing, or empty: is a variable not set?")
	case f.Deployment == "":
		return fmt.Errorf("DEPLOYMENT is missing, or empty: PROJECT and DEPLOYMENT are two arguments; or is a variable not set?%s", wordFirst(f.Project))
	}
	return nil
}

// wordFirst returns a hint if the project has the name of a verb.
func wordFirst(project string) string {
	if !slices.Contains(verbs, project) {
		return ""
	}
	return fmt.Sprintf(" (for the command %s, write %[1]s before its flags)", project)
}

func (f *flags) settings() cli.Settings {
	s := cli.Settings{
		Project: f.Project, Deployment: f.Deployment,
		Artifacts: f.Artifact, Exclude: f.Exclude,
		NoHighstate: !f.Highstate, RequireMinions: f.RequireMinions,
		Token: f.Token, Insecure: f.Insecure, FullToken: !f.NarrowToken,
		ConnectTimeout: f.ConnectTimeout, Timeout: f.Timeout, DryRun: f.DryRun, RegistryPlain: f.RegistryPlain, Reports: f.Report,
		ExpectMinions: f.ExpectMinion, MinMinions: f.MinMinions, Strict: f.Strict,
		MaxParallel: f.MaxParallel, Verbose: f.Verbose, Quiet: f.Quiet,
	}
	s.Diff = s.Text("diff", f.Diff)
	s.RegistryCert, s.RegistrySource = s.Text("registry-cert", f.RegistryCert), s.Text("registry-source", f.RegistrySource)
	s.Color = s.Text("color", f.Color)
	s.Dir, s.Targets, s.Rollout = s.Text("dir", f.Dir), s.Text("targets", f.Targets), s.Text("rollout", f.Rollout)
	s.Several("server", f.Server)
	s.Source, s.GitDescribe = s.Text("include-source", f.IncludeSource), s.Text("git-describe", f.GitDescribe)
	s.TokenFile, s.SSLCert = s.Text("token-file", f.TokenFile), s.Text("ssl-cert", f.SSLCert)
	s.MaxEvent, s.MissingMinions, s.ExpectFrom = s.Text("max-event", f.MaxEvent), s.Text("missing-minions", f.MissingMinions), s.Text("expect-from", f.ExpectFrom)
	s.Bundle, s.Digest, s.Output = s.Text("bundle", f.Bundle), s.Text("digest", f.Digest), s.Text("output", f.Output)
	return s
}

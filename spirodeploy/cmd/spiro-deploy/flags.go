package main

import (
	"errors"
	"time"

	"github.com/alecthomas/kong"

	"github.com/spirostack/spirodeploy/internal/edge"
)

const description = `Bundles a project's Salt states and deploys them through a SpiroFS server.

Exit status: 0 all well, 1 a minion failed, 2 something is wrong on this side, 3 the server refused, 4 the server failed, 5 the server could not be reached, 6 the outcome is unknown, 130 interrupted.`

// flags are the command line. The environment is read by package edge, which
// knows what is blank. A value is never split at commas (sep:"none").
type flags struct {
	Project    string `arg:"" optional:"" help:"Project to deploy."`
	Deployment string `arg:"" optional:"" help:"Deployment of the project: its saltenv is PROJECT/DEPLOYMENT."`

	Artifact      []string `placeholder:"PATH" sep:"none" help:"Add a file or directory that the build made, as _artifacts/PATH; NAME=PATH puts it at _artifacts/NAME. Repeatable."`
	IncludeSource *string  `placeholder:"fs|git" help:"Add the source as _source: all files (filesystem, fs), or those of the commit HEAD (git)."`
	Exclude       []string `placeholder:"PATTERN" sep:"none" help:"Leave out what matches: '*.pyc' at any depth, '_source/web/**' from the root of the bundle. Repeatable."`
	Dir           *string  `placeholder:"DIR" help:"Project directory (default: the working directory)."`
	GitDescribe   *string  `placeholder:"all|tags|off" help:"How the second line of .gitcommit describes the commit (default: all)."`

	Highstate      bool `default:"true" negatable:"" help:"Apply the states to the minions concerned (default: yes)."`
	RequireMinions bool `help:"Fail if no minion is concerned."`

	Server         *string       `placeholder:"URL" help:"Server to deploy to (default: SPIRO_URL, or https://salt:4510/)."`
	Token          *string       `placeholder:"TOKEN" help:"Token (default: SPIRO_TOKEN). Visible to everybody on this machine: better not."`
	TokenFile      *string       `placeholder:"FILE" help:"File with the token."`
	NarrowToken    bool          `default:"true" negatable:"" help:"Send the token narrowed to PROJECT (default: yes)."`
	SSLCert        *string       `name:"ssl-cert" placeholder:"FILE" help:"Trust this certificate or CA (PEM) instead of the system's."`
	Insecure       bool          `help:"Verify nothing, and allow plain HTTP."`
	ConnectTimeout time.Duration `default:"20s" placeholder:"DURATION" help:"How long connecting may take (default: 20s)."`
	Timeout        time.Duration `placeholder:"DURATION" help:"How long the whole run may take (default: no limit)."`

	Bundle *string  `placeholder:"FILE" help:"Deploy this bundle instead of building one."`
	Digest *string  `placeholder:"sha256:…" help:"Refuse a bundle with any other digest."`
	Output *string  `placeholder:"FILE" help:"Write the bundle and stop; - is standard output."`
	Diff   *string  `placeholder:"FILE" help:"Tell how the bundle differs from this one, and stop."`
	DryRun bool     `help:"Build, check token and server, list what would be sent; send nothing."`
	Report []string `placeholder:"FORMAT=FILE" sep:"none" help:"Write a report: json, ndjson, junit, html or markdown. FILE - is standard output. Repeatable."`

	Verbose bool    `short:"v" help:"Show every state, and the slowest."`
	Quiet   bool    `short:"q" help:"Show the verdict alone."`
	Color   *string `placeholder:"auto|always|never" help:"When to colour (default: auto, on a terminal unless NO_COLOR is set)."`

	Version kong.VersionFlag `help:"Show the version."`
}

// check finds what only all flags together show.
func (f *flags) check() error {
	switch {
	case f.Output != nil, f.Diff != nil:
		return nil
	case f.Project == "":
		return errors.New("PROJECT is missing, or empty: is a variable not set?")
	case f.Deployment == "":
		return errors.New("DEPLOYMENT is missing, or empty: is a variable not set?")
	}
	return nil
}

func (f *flags) settings() edge.Settings {
	s := edge.Settings{
		Project: f.Project, Deployment: f.Deployment,
		Artifacts: f.Artifact, Exclude: f.Exclude,
		NoHighstate: !f.Highstate, RequireMinions: f.RequireMinions,
		Token: f.Token, Insecure: f.Insecure, FullToken: !f.NarrowToken,
		ConnectTimeout: f.ConnectTimeout, Timeout: f.Timeout, DryRun: f.DryRun, Reports: f.Report,
		Verbose: f.Verbose, Quiet: f.Quiet,
	}
	s.Diff = s.Text("diff", f.Diff)
	s.Color = s.Text("color", f.Color)
	s.Dir, s.Server = s.Text("dir", f.Dir), s.Text("server", f.Server)
	s.Source, s.GitDescribe = s.Text("include-source", f.IncludeSource), s.Text("git-describe", f.GitDescribe)
	s.TokenFile, s.SSLCert = s.Text("token-file", f.TokenFile), s.Text("ssl-cert", f.SSLCert)
	s.Bundle, s.Digest, s.Output = s.Text("bundle", f.Bundle), s.Text("digest", f.Digest), s.Text("output", f.Output)
	return s
}

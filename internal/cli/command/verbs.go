package command

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spirostack/spirodeploy/internal/cli"
)

// program is the name of the command.
const program = "spiro-deploy"

// A commandLine is what flags and arguments are read into.
type commandLine interface {
	about() string                        // for the help
	run(context.Context, cli.World) error // its error is a [*cli.Error]
}

// verbs are first words that do something else than to deploy. A project with such a name
// goes after --.
var verbs = []string{"check", "init", "token"}

// find returns the name of the command that the arguments call, its flags to fill, and its
// arguments.
func find(args []string) (name string, line commandLine, rest []string) {
	if len(args) == 0 || !slices.Contains(verbs, args[0]) {
		return program, new(flags), args
	}
	name, rest = program+" "+args[0], args[1:]
	switch args[0] {
	case "check":
		return name, new(checkFlags), rest
	case "init":
		return name, new(initFlags), rest
	}
	return name, new(tokenFlags), rest
}

func (*flags) about() string { return description }

func (f *flags) run(ctx context.Context, world cli.World) error {
	if f.Token != "" {
		fmt.Fprintln(os.Stderr, "warning: everybody on this machine can see a token in the argument list: use SPIRO_TOKEN or --token-file")
	}
	return world.Run(ctx, f.Settings)
}

// checkFlags are those of spiro-deploy check.
type checkFlags struct {
	Project        *string        `placeholder:"PROJECT" help:"Fail unless the token is for this project."`
	Server         []string       `placeholder:"URL" sep:"none" help:"Server to ask (default: SPIRO_URL, or https://salt:4510/)."`
	TokenFile      *string        `placeholder:"FILE" help:"File with the token (default: SPIRO_TOKEN)."`
	SSLCert        *string        `name:"ssl-cert" placeholder:"FILE" help:"Trust this certificate or CA (PEM) instead of the system's."`
	Insecure       bool           `help:"Verify nothing, and allow plain HTTP."`
	ConnectTimeout *time.Duration `placeholder:"DURATION" help:"Time limit for connecting (default: 20s)."`
}

func (*checkFlags) about() string {
	return "Asks the server whether the token is valid, and says what the token allows. It deploys nothing."
}

func (f *checkFlags) run(ctx context.Context, world cli.World) error {
	s := cli.Settings{Insecure: f.Insecure, ConnectTimeout: f.ConnectTimeout}
	s.Project, s.Servers = s.Text("project", f.Project), s.All("server", f.Server)
	s.TokenFile, s.SSLCert = s.Text("token-file", f.TokenFile), s.Text("ssl-cert", f.SSLCert)
	return world.Check(ctx, s)
}

// tokenFlags are those of spiro-deploy token.
type tokenFlags struct {
	TokenFile *string        `placeholder:"FILE" help:"File with the token (default: SPIRO_TOKEN)."`
	Project   []string       `placeholder:"PROJECT" sep:"none" help:"Make a token for this project only. Repeatable."`
	Lifetime  *time.Duration `placeholder:"DURATION" help:"Make a token that lasts this long, and 5 minutes more since clocks differ."`
	Output    *string        `placeholder:"FILE" help:"File for the token that is made, which only you can read; - is standard output."`
}

func (*tokenFlags) about() string {
	return "Says what the token allows, without showing it, or makes a narrower one, for a CI job. It needs no server."
}

func (f *tokenFlags) run(ctx context.Context, world cli.World) error {
	s := cli.Settings{Lifetime: f.Lifetime}
	s.Projects = s.All("project", f.Project)
	s.TokenFile, s.Output = s.Text("token-file", f.TokenFile), s.Text("output", f.Output)
	return world.Token(ctx, s)
}

// initFlags are those of spiro-deploy init.
type initFlags struct {
	Dir *string `placeholder:"DIR" help:"Project directory (default: the working directory)."`
}

func (*initFlags) about() string {
	return "Writes the states of a first project: _salt with a commented spirotop.sls and one state. It never writes over anything."
}

func (f *initFlags) run(ctx context.Context, world cli.World) error {
	var s cli.Settings
	s.Dir = s.Text("dir", f.Dir)
	return world.Init(ctx, s)
}

package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/spirostack/spirodeploy/internal/cli"
)

// flags are the command line.
type flags struct {
	cli.Settings

	Version    versionFlag `group:"other" help:"Show the version."`
	Completion *string     `group:"other" placeholder:"bash|zsh|fish" help:"Print the script that makes a shell complete the flags."`
}

// trim trims the texts, and notes those that are given and empty.
func (f *flags) trim(all []*kong.Flag) {
	for _, flag := range all {
		switch value := flag.Target.Addr().Interface().(type) {
		case *string:
			if flag.Set {
				*value = f.Text(flag.Name, value)
			}
		case *[]string:
			*value = f.All(flag.Name, *value)
		}
	}
}

// check returns what is missing.
func (f *flags) check() error {
	switch {
	case f.Targets != "", f.Output != "", f.Diff != "", f.Completion != nil, f.Blank():
		return nil // a list of targets may name project and deployment
	case f.Project == "":
		return errors.New("PROJECT is missing, or empty: is a variable not set?")
	case f.Deployment == "":
		return alone(f.Project)
	}
	return nil
}

// instead maps a word that people type as a command to its flag.
var instead = map[string]string{
	"help": "--help", "version": "--version", "completion": "--completion bash", "bundle": "--output FILE", "push": "--output oci://…", "diff": "--diff FILE",
}

// alone returns the error for a project without a deployment.
func alone(project string) error {
	help := "is a variable not set?"
	saltenv := strings.Split(project, "/")
	switch {
	case slices.Contains(verbs, project):
		help = fmt.Sprintf("for the command %s, write %[1]s before its flags", project)
	case instead[project] != "":
		help = fmt.Sprintf("if it is meant as a command, write %s %s", program, instead[project])
	case len(saltenv) == 2 && saltenv[0] != "" && saltenv[1] != "":
		help = fmt.Sprintf("write %s %s", saltenv[0], saltenv[1])
	}
	return fmt.Errorf("DEPLOYMENT is missing or empty, and PROJECT is %q: %s", project, help)
}

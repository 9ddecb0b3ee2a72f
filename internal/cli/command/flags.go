package command

import (
	"errors"
	"fmt"
	"slices"

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
		if text, ok := flag.Target.Addr().Interface().(*string); ok && flag.Set {
			*text = f.Text(flag.Name, text)
		}
	}
	f.Several("server", f.Servers)
}

// check returns what is missing.
func (f *flags) check() error {
	switch {
	case f.Targets != "": // the list may name project and deployment
		return nil
	case f.Output != "", f.Diff != "", f.Completion != nil, f.Blank():
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

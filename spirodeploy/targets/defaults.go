package targets

import (
	"context"

	"github.com/spirostack/spirodeploy/internal/cli"
)

// Defaults are the values of flags that are not given. A magefile may set them in a func
// init, so that "mage spiro:deploy shop prod" needs no flag:
//
//	//mage:import spiro
//	"github.com/spirostack/spirodeploy/spirodeploy/targets"
//
//	func init() {
//		targets.Defaults = targets.Options{
//			Server: "https://salt.example.com:4510/", Certificate: "salt.pem", Artifacts: []string{"build/shop"},
//		}
//	}
//
// Paths are relative to the directory in which mage runs targets. Paths of artifacts are
// relative to Dir.
var Defaults Options

// Options are defaults for flags. The zero value changes nothing.
type Options struct {
	// Server is the server's URL if neither a flag nor SPIRO_URL names one.
	Server string
	// Targets is a file with a list of targets, in YAML, if no flag names a list and
	// nothing names a server.
	Targets string
	// Certificate is a file with the certificate or CA to trust.
	Certificate string
	// TokenFile is a file with the token if neither a flag nor SPIRO_TOKEN gives one.
	TokenFile string
	// Token finds the token if there is no other, for example in a password manager. It is
	// called as late as possible, and its result is never shown.
	Token func(context.Context) (string, error)
	// Dir is the project directory.
	Dir string
	// Artifacts are files or directories that the build made, as PATH or NAME=PATH.
	Artifacts []string
	// Source is the source to add: filesystem, fs or git.
	Source string
	// Exclude are patterns of files to leave out.
	Exclude []string
	// Reports are reports to write, as FORMAT=FILE.
	Reports []string
	// RequireMinions makes the deployment fail if it concerns no minion.
	RequireMinions bool
	// MissingMinions is fail, the default, or warn: what happens if minions that the top
	// file names by their ids are not reached, or no minion at all.
	MissingMinions string
	// ExpectMinions are ids of minions that must be reached.
	ExpectMinions []string
	// Strict sends nothing if there is a warning before the upload.
	Strict bool
}

// settings returns settings with the defaults that the environment overrides.
func settings() cli.Settings {
	return cli.Settings{Mage: true, Defaults: cli.Defaults{
		Server: Defaults.Server, TokenFile: Defaults.TokenFile, Token: Defaults.Token,
	}}
}

// given says which flags are given.
type given struct{ bundle, output, diff, insecure, noHighstate bool }

// beside returns the defaults without those that flags make pointless. A given bundle needs
// none about its content, -insecure none about certificates, a run without a deployment none
// about servers, one without a highstate none about minions, and a comparison allows anything.
func (o Options) beside(flags given) Options {
	noDeployment := flags.output || flags.diff
	if flags.bundle {
		o.Dir, o.Artifacts, o.Source, o.Exclude = "", nil, "", nil
	}
	if noDeployment {
		o.Targets, o.Reports = "", nil
	}
	if noDeployment || flags.insecure {
		o.Certificate = ""
	}
	if noDeployment || flags.noHighstate {
		o.RequireMinions, o.ExpectMinions = false, nil
	}
	if flags.diff {
		o.MissingMinions, o.Strict = "", false
	}
	return o
}

// list returns the default list of targets unless a flag or the environment names a server.
func (o Options) list(server *string) string {
	if server != nil || cli.Process().ServerURL() != "" {
		return ""
	}
	return o.Targets
}

// or returns the value of a flag, or a default if the flag is not given.
func or(flag *bool, unset bool) bool {
	if flag == nil {
		return unset
	}
	return *flag
}

// orText is [or] for a text, which must not be empty if the flag is given.
func orText(s *cli.Settings, name string, flag *string, unset string) string {
	if flag == nil {
		return unset
	}
	return s.Text(name, flag)
}

// orList is [or] for values that commas separate. They must not be empty if the flag is given.
func orList(s *cli.Settings, name string, flag *string, unset []string) []string {
	if flag == nil {
		return unset
	}
	return s.List(name, flag)
}

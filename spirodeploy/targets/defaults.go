package targets

import (
	"context"

	"github.com/spirostack/spirodeploy/internal/cli"
)

// Defaults are what flags mean that are not given. A magefile may set them, in a
// func init of its own, so that "mage spiro:deploy shop prod" needs no flag:
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
// Paths are relative to the directory in which mage runs targets, but for those
// of artifacts, which are relative to Dir.
var Defaults Options

// Options are defaults for flags. Its zero value changes nothing.
type Options struct {
	// Server is the server's URL, where neither a flag nor SPIRO_URL names one.
	Server string
	// Targets is a list of targets, in YAML, where no flag names one or a server.
	Targets string
	// Certificate is a file with the certificate or CA to trust.
	Certificate string
	// TokenFile is a file with the token, where neither a flag nor SPIRO_TOKEN has one.
	TokenFile string
	// Token finds the token, such as with a password manager's program, where there
	// is no other: it is called as late as possible, and what it returns is shown nowhere.
	Token func(context.Context) (string, error)
	// Dir is the project directory.
	Dir string
	// Artifacts are files or directories that the build made, PATH or NAME=PATH.
	Artifacts []string
	// Source is the source to add: filesystem, fs or git.
	Source string
	// Exclude are patterns of what to leave out.
	Exclude []string
	// Reports are reports to write, FORMAT=FILE.
	Reports []string
	// RequireMinions makes it a failure when no minion is concerned.
	RequireMinions bool
	// MissingMinions says what it means that minions that the top file names by their
	// ids are not reached, or none at all: fail, the default, or warn.
	MissingMinions string
	// ExpectMinions are ids of minions that have to be reached.
	ExpectMinions []string
	// Strict sends nothing if there is a warning before the upload.
	Strict bool
}

// settings returns settings with the defaults that come after the environment.
func settings() cli.Settings {
	return cli.Settings{Mage: true, Defaults: cli.Defaults{
		Server: Defaults.Server, TokenFile: Defaults.TokenFile, Token: Defaults.Token,
	}}
}

// beside returns the defaults without those that flags make pointless: of what is
// in a bundle that is given, of a deployment where there is none, of whom to trust
// where anybody is, of minions that are not asked.
func (o Options) beside(bundle, noDeployment, insecure, noHighstate bool) Options {
	if bundle {
		o.Dir, o.Artifacts, o.Source, o.Exclude = "", nil, "", nil
	}
	if noDeployment {
		o.Targets, o.Reports = "", nil
	}
	if insecure {
		o.Certificate = ""
	}
	if noDeployment || noHighstate {
		o.RequireMinions, o.ExpectMinions = false, nil
	}
	return o
}

// list returns the default list of targets, unless a flag or the environment
// names a server.
func (o Options) list(server *string) string {
	if server != nil || cli.Process().ServerURL("") != "" {
		return ""
	}
	return o.Targets
}

// orText returns the value of a flag, or of a default where the flag is not given.
func orText(s *cli.Settings, name string, flag *string, or string) string {
	if flag == nil {
		return or
	}
	return s.Text(name, flag)
}

// orList is orText for flags that take several values.
func orList(s *cli.Settings, name string, flag *string, or []string) []string {
	if flag == nil {
		return or
	}
	return s.List(name, flag)
}

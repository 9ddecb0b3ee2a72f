// Package args spells options as "dagger call" takes them: as flags of the module and
// of its functions.
package args

import "github.com/spirostack/spirodeploy/spirodeploy/fault"

// names are the flags of the options that the module has.
var names = map[fault.Option]string{
	fault.Artifact:       "--artifacts",
	fault.Bundle:         "--bundle",
	fault.Deployment:     "--deployment",
	fault.Dir:            "--dir",
	fault.Exclude:        "--exclude",
	fault.Insecure:       "--insecure",
	fault.MinMinions:     "--min-minions",
	fault.MissingMinions: "--missing-minions",
	fault.Output:         "the function bundle",
	fault.Project:        "--project",
	fault.Server:         "--server",
	fault.SSLCert:        "--ssl-cert",
	fault.Source:         "--include-source",
	fault.Timeout:        "--timeout",
	fault.Token:          "--token",
}

// Spell returns how an option is spelled, or "" if the module does not have it.
func Spell(o fault.Option) string { return names[o] }

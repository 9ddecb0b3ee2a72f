// Package args spells options as flags of "dagger call", for the module and its functions.
package args

import "github.com/spirostack/spirodeploy/spirodeploy/fault"

// names are the flags of the module's options.
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
	fault.RegistryCert:   "--registry-cert",
	fault.RegistryLogin:  "--username with --password",
	fault.RegistryPlain:  "--registry-plain",
	fault.Server:         "--server",
	fault.SSLCert:        "--ssl-cert",
	fault.Source:         "--include-source",
	fault.Timeout:        "--timeout",
	fault.Token:          "--token",
}

// Spell returns the flag of an option, or "" if the module does not have the option.
func Spell(o fault.Option) string { return names[o] }

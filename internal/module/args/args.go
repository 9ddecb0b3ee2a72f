// Package args spells options as flags of "dagger call", for the module and its functions.
package args

import "github.com/spirostack/spirodeploy/spirodeploy/fault"

// Spell returns the flag of an option, or "" if the module does not have the option.
func Spell(o fault.Option) string {
	switch o {
	case fault.Bundle, fault.Deployment, fault.Dir, fault.Exclude, fault.Insecure, fault.MaxParallel, fault.MinMinions, fault.MissingMinions, fault.Project,
		fault.RegistryCert, fault.RegistryPlain, fault.Server, fault.Source, fault.SSLCert, fault.Timeout, fault.Token:
		return "--" + string(o)
	case fault.Artifact:
		return "--artifacts"
	case fault.Output:
		return "the function bundle"
	case fault.RegistryLogin:
		return "--username with --password"
	}
	return ""
}

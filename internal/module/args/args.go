// Package args spells options as flags of "dagger call", for the module and its functions.
package args

import "github.com/spirostack/spirodeploy/spirodeploy/fault"

// Spell returns the flag of an option, or "" if the module does not have the option.
func Spell(o fault.Option) string {
	switch o {
	case fault.ConnectTimeout, fault.Digest, fault.Init, fault.MaxEvent, fault.Report, fault.Strict, fault.Verbose:
		return ""
	case fault.Artifact:
		return "--artifacts"
	case fault.Output:
		return "the function bundle"
	case fault.RegistryLogin:
		return "--username with --password"
	}
	return "--" + string(o)
}

package fault

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Option is a setting of a deployment: the name of the command's flag without its
// dashes. Each front end spells it differently.
type Option string

// Options that hints name.
const (
	Artifact       Option = "artifact"
	Bundle         Option = "bundle"
	ConnectTimeout Option = "connect-timeout"
	Deployment     Option = "deployment"
	Digest         Option = "digest"
	Dir            Option = "dir"
	Exclude        Option = "exclude"
	Insecure       Option = "insecure"
	Init           Option = "init" // makes a first project
	MaxEvent       Option = "max-event"
	MaxParallel    Option = "max-parallel"
	MissingMinions Option = "missing-minions"
	MinMinions     Option = "min-minions"
	Output         Option = "output"
	Project        Option = "project"
	RegistryCert   Option = "registry-cert"
	RegistryLogin  Option = "registry-login"
	RegistryPlain  Option = "registry-plain"
	Report         Option = "report"
	Server         Option = "server"
	Source         Option = "include-source"
	SSLCert        Option = "ssl-cert"
	Strict         Option = "strict"
	Timeout        Option = "timeout"
	Token          Option = "token"
	Verbose        Option = "verbose"
)

// fields spell the options as fields of Go structs.
var fields = map[Option]string{
	Artifact:       "bundle.Options.Artifacts",
	Bundle:         "Options.File",
	ConnectTimeout: "client.Options.ConnectTimeout",
	Deployment:     "Options.Deployment",
	Digest:         "bundle.Options.Digest",
	Dir:            "bundle.Options.Dir",
	Exclude:        "bundle.Options.Exclude",
	Init:           "", // Go programs have none
	Insecure:       "client.Options.Insecure",
	MaxEvent:       "client.Options.MaxEvent",
	MaxParallel:    "Options.MaxParallel",
	MissingMinions: "Options.MissingMinions",
	MinMinions:     "Options.MinMinions",
	Output:         "Bundle.WriteTo",
	Project:        "Options.Project",
	RegistryCert:   "registry.Options.Certificate",
	RegistryLogin:  "registry.Options.Credentials",
	RegistryPlain:  "registry.Options.PlainHTTP",
	Report:         "the report",
	Server:         "client.Options.Server",
	Source:         "bundle.Options.Source",
	SSLCert:        "client.Options.Certificate",
	Strict:         "Options.Strict",
	Timeout:        "Options.Timeout",
	Token:          "client.Options.Token",
	Verbose:        "view.TextOptions.Detail",
}

// Options returns all options, sorted.
func Options() []Option {
	return slices.Sorted(maps.Keys(fields))
}

// A Speller returns how a front end spells an option: "--ssl-cert", "-sslCert". It returns
// "" if the front end does not have the option.
type Speller func(Option) string

// Hint says what a person can do about an error. It names an option as {ssl-cert}, and one
// with a value behind it as {dir=}VALUE. Text from elsewhere must pass through [Literal].
type Hint string

// Spell returns the hint with its options spelled. It leaves out a part between semicolons
// if the front end lacks one of its options. A nil Speller spells them as fields of Go
// structs.
func (h Hint) Spell(spell Speller) string {
	if spell == nil {
		spell = func(o Option) string { return fields[o] }
	}
	var all []string
	for segment := range strings.SplitSeq(string(h), "; ") {
		possible := true
		text := placeholder.ReplaceAllStringFunc(segment, func(s string) string {
			name, hasValue := strings.CutSuffix(strings.Trim(s, "{}"), "=")
			if name == "" {
				return s[:1]
			}
			word := spell(Option(name))
			possible = possible && word != ""
			if hasValue {
				word += beforeValue(word)
			}
			return word
		})
		if possible {
			all = append(all, text)
		}
	}
	return strings.Join(all, "; ")
}

// beforeValue returns what stands between an option and its value: a flag with one dash, such
// as mage's, needs an equals sign.
func beforeValue(option string) string {
	if strings.HasPrefix(option, "-") && !strings.HasPrefix(option, "--") {
		return "="
	}
	return " "
}

// String returns the hint with its options spelled as fields of Go structs.
func (h Hint) String() string { return h.Spell(nil) }

// placeholder matches an option's name in a hint, or an escaped brace.
var placeholder = regexp.MustCompile(`\{[a-z-]+=?\}|\{\{`)

// Literal escapes text for use in a hint.
func Literal(text string) string { return strings.ReplaceAll(text, "{", "{{") }

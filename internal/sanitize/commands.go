package sanitize

import (
	"regexp"
	"strings"
	"unicode"
)

// Text that some reader of logs or reports takes for a command, anywhere in a line:
//   - "##[error]": GitHub's runner (actions/runner, ActionCommand.cs) and Azure
//     Pipelines ("Logging commands"), which also reads "##vso[task.setvariable …]"
//   - "##teamcity[…]": TeamCity ("Service Messages")
//   - "[[ATTACHMENT|PATH]]", "[[PROPERTY|…]]": Jenkins' plugins JUnit Attachments and
//     JUnit, and GitLab ("Unit test reports"), which fetch a file of the build machine
//
// Package report/view handles the commands of GitHub at the beginning of a line, in Log.
var (
	command = regexp.MustCompile(`(?i)(##)((?:vso|teamcity)?\[)`)
	file    = regexp.MustCompile(`(?i)(\[)(\[[a-z][a-z0-9_.-]*\|)`)
)

// Defuse breaks up commands to readers of logs or reports with a space. It removes
// invisible characters if there is a command, because some readers ignore them.
func Defuse(s string) string {
	if !strings.ContainsRune(s, '#') && !strings.Contains(s, "[") {
		return s
	}
	bare := Visible(s)
	if defused := file.ReplaceAllString(command.ReplaceAllString(bare, "$1 $2"), "$1 $2"); defused != bare {
		return defused
	}
	return s
}

// DefuseJSON breaks up commands in JSON, like [Defuse], without changing its meaning.
func DefuseJSON(s string) string {
	if !strings.Contains(s, "##") {
		return s
	}
	return command.ReplaceAllString(s, `\u0023#$2`)
}

// Visible returns s without invisible characters, which .NET ignores in comparisons that
// depend on the culture.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII && unicode.In(r, unicode.Cf, unicode.Mn, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, s)
}

package sanitize

import (
	"regexp"
	"strings"
	"unicode"
)

// marker finds what some reader of logs or reports takes for a command wherever it
// stands:
//   - "##[error]": GitHub's runner (actions/runner, ActionCommand.cs) and Azure
//     Pipelines ("Logging commands"), which also reads "##vso[task.setvariable …]"
//   - "##teamcity[…]": TeamCity ("Service Messages")
//   - "[[ATTACHMENT|PATH]]", "[[PROPERTY|…]]": Jenkins' plugins JUnit Attachments and
//     JUnit, and GitLab ("Unit test reports"), which fetch a file of the build machine
//
// What GitHub takes for a command at the beginning of a line is for who knows
// which log it is: see Log in package view.
var marker = regexp.MustCompile(`(?i)##(?:vso|teamcity)?\[|\[\[[a-z][a-z0-9_.-]*\|`)

// Defuse breaks up what some reader of logs or reports takes for a command, with a
// space that leaves it readable. Characters that cannot be seen go if it takes that:
// some readers pass over them.
func Defuse(s string) string {
	if !strings.ContainsRune(s, '#') && !strings.Contains(s, "[") {
		return s
	}
	if bare := Visible(s); marker.MatchString(bare) {
		return marker.ReplaceAllStringFunc(bare, func(found string) string {
			if found[0] == '#' {
				return "## " + found[len("##"):]
			}
			return "[ " + found[len("["):]
		})
	}
	return s
}

// DefuseJSON is [Defuse] for JSON, of which it changes no meaning.
func DefuseJSON(s string) string {
	if !strings.Contains(s, "##") {
		return s
	}
	return marker.ReplaceAllStringFunc(s, func(found string) string {
		if found[0] == '#' {
			return `\u0023` + found[1:]
		}
		return found
	})
}

// Visible returns s without the characters that cannot be seen, which .NET passes
// over where it compares text in the manner of a language.
func Visible(s string) string {
	if isASCII(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Mn, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, s)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Log names a CI service whose log folds.
type Log string

// The logs that fold.
const (
	// GitHub is that of GitHub Actions ("Workflow commands for GitHub Actions":
	// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
	GitHub Log = "github"
	// GitLab is that of GitLab CI ("CI/CD job logs", custom collapsible sections:
	// https://docs.gitlab.com/ci/jobs/job_logs/).
	GitLab Log = "gitlab"
)

// Harmless returns a text in which no line is a command to the log: those that
// would be one to GitHub's runner differ a little. For others it is the same. All
// control characters must be out of the text, which is all that GitLab needs.
func (l Log) Harmless(text string) string {
	if l != GitHub || !strings.Contains(text, "::") && !strings.Contains(text, "#") && isASCII(text) {
		return text
	}
	if !strings.Contains(text, "\n") {
		return harmlessLine(text)
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = harmlessLine(lines[i])
	}
	return strings.Join(lines, "\n")
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// harmlessLine is for GitHub's runner (actions/runner, ActionCommand.cs): a
// command is what begins with "::", after white space, or has "##[" anywhere. It
// may pass over characters that cannot be seen, as .NET does where it compares
// text in the manner of a language: where that matters, they go.
func harmlessLine(s string) string {
	bare := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Mn, unicode.Other_Default_Ignorable_Code_Point) {
			return -1
		}
		return r
	}, s)
	text := strings.TrimLeftFunc(bare, unicode.IsSpace)
	begins, has := strings.HasPrefix(text, "::"), strings.Contains(bare, "##[")
	if !begins && !has {
		return s
	}
	if begins {
		bare = bare[:len(bare)-len(text)] + ": " + text[1:]
	}
	return strings.ReplaceAll(bare, "##[", "## [")
}

// escapeData is for what comes after the last colons of a command, as in
// GitHub's own toolkit (actions/toolkit, packages/core/src/command.ts).
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// escapeProperty is for the value of a command's property.
func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// section is a part of the log that can be folded.
type section struct {
	name       string // GitLab's, one of its own for each
	minions    string // whose names are in the title
	outcome    string // what is in it, for where that is folded
	color      color
	open       bool // whether GitLab shows what is in it without a click
	start, end time.Time
}

// begin begins a section. Without a log that folds, its title is a line.
func (p *printer) begin(s section) {
	title := p.log.Harmless(s.minions + ": " + s.outcome)
	switch p.log {
	case GitHub:
		p.raw("::group::" + escapeData(title))
	case GitLab:
		collapsed := "[collapsed=true]"
		if s.open {
			collapsed = ""
		}
		p.raw(fmt.Sprintf("\x1b[0Ksection_start:%d:%s%s\r\x1b[0K%s", max(0, s.start.Unix()), s.name, collapsed, p.palette.paint(s.color, title)))
	default:
		p.print(s.color, s.minions+":")
	}
}

// end ends a section. Without a log that folds, an empty line does.
func (p *printer) end(s section) {
	switch p.log {
	case GitHub:
		p.raw("::endgroup::")
	case GitLab:
		p.raw(fmt.Sprintf("\x1b[0Ksection_end:%d:%s\r\x1b[0K", max(0, s.end.Unix()), s.name))
	default:
		p.print("", "")
	}
}

// sectionName returns what GitLab takes for a name: letters, digits and _.-
func sectionName(parts ...string) string {
	const most = 100
	name := strings.Map(func(r rune) rune {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)), r == '.', r == '-':
			return r
		}
		return '_'
	}, strings.Join(parts, "_"))
	return name[:min(len(name), most)]
}

package view

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/spirostack/spirodeploy/internal/sanitize"
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

// Harmless returns a text in which no line is a command to the log, or to any other
// reader of logs: those that would be one differ a little. All control characters
// must be out of the text.
func (l Log) Harmless(text string) string {
	text = sanitize.Defuse(text)
	if l != GitHub || !strings.Contains(text, ":") {
		return text
	}
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = harmlessLine(lines[i])
	}
	return strings.Join(lines, "\n")
}

// harmlessLine is for GitHub's runner (actions/runner, ActionCommand.cs), for which
// a command is also what begins with "::", after white space.
func harmlessLine(s string) string {
	bare := sanitize.Visible(s)
	text := strings.TrimLeftFunc(bare, unicode.IsSpace)
	if !strings.HasPrefix(text, "::") {
		return s
	}
	return bare[:len(bare)-len(text)] + ": " + text[1:]
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

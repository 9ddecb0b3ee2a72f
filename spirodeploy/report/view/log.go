package view

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// Log is a CI service whose log folds.
type Log string

// CI services whose logs fold.
const (
	// GitHub is GitHub Actions ("Workflow commands for GitHub Actions":
	// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
	GitHub Log = "github"
	// GitLab is GitLab CI ("CI/CD job logs", custom collapsible sections:
	// https://docs.gitlab.com/ci/jobs/job_logs/).
	GitLab Log = "gitlab"
)

// Harmless changes the lines of a text that the log, or another reader of logs, would take
// for commands. The text must contain no control characters.
func (l Log) Harmless(text string) string {
	text = sanitize.Defuse(text)
	if l != GitHub || !strings.Contains(text, ":") {
		return text
	}
	return strings.Join(each(strings.Split(text, "\n"), harmlessLine), "\n")
}

// harmlessLine changes a line that begins with "::" after white space, which GitHub's
// runner takes for a command (actions/runner, ActionCommand.cs).
func harmlessLine(s string) string {
	bare := sanitize.Visible(s)
	text := strings.TrimLeftFunc(bare, unicode.IsSpace)
	if !strings.HasPrefix(text, "::") {
		return s
	}
	return bare[:len(bare)-len(text)] + ": " + text[1:]
}

// escapeData escapes the text of a command, as GitHub's toolkit does (actions/toolkit,
// packages/core/src/command.ts).
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// escapeProperty escapes a property of a command.
func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// section is a part of a log that folds.
type section struct {
	name       string // unique, for GitLab
	minions    string // names in the title
	outcome    string // shown if the section is folded
	color      color
	open       bool // whether GitLab shows it unfolded
	start, end time.Time
}

// begin begins a section. If the log does not fold, its title is a line.
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

// end ends a section. If the log does not fold, it writes an empty line.
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

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9.-]`)

// sectionName returns a valid name for GitLab, of letters, digits and _.-
func sectionName(parts ...string) string {
	const most = 100
	name := notInNames.ReplaceAllString(strings.Join(parts, "_"), "_")
	return name[:min(len(name), most)]
}

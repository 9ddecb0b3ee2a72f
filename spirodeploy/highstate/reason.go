package highstate

import (
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
)

// missingText begins the comment of a state with a requisite that is in no SLS (salt
// 3005, State.call_chunk). Its lines name what is missing. Later versions do not
// compile such a state.
const missingText = "The following requisites were not found:"

// Sizes of a reason, in bytes before escapes.
const (
	maxReason   = 4 << 10
	maxHeadline = 200
	maxHeadID   = 60
	maxCommand  = 80 // of a comment before the output of a command
)

// LacksSLS reports whether Salt did not find a requisite of the state in any SLS.
func (s *State) LacksSLS() bool { return strings.HasPrefix(strings.TrimSpace(s.Comment), missingText) }

// Stderr returns what a command wrote to standard error, or "".
func (s *State) Stderr() string {
	for key, value := range rawjson.Members(rawjson.View(s.Changes)) {
		if key == "stderr" && rawjson.First(value) == '"' {
			return strings.TrimRight(rawjson.Text(value), "\n\t ")
		}
	}
	return ""
}

// Reason says in one line why a state failed: the first line of its comment, or the
// missing requisites, and the last line of [State.Stderr].
func (s *State) Reason() string {
	return sanitize.Line(sanitize.Clip(joined(s.reasons()), maxReason))
}

// Headline names a state that failed and says why, in a short line: "nginx
// (service.running): no such unit".
func (s *State) Headline() string {
	line := clipped(s.ID, maxHeadID)
	if s.Function != "" {
		line += " (" + clipped(s.Function, maxHeadID) + ")"
	}
	text, said := s.reasons()
	if said != "" {
		text = clipped(text, maxCommand)
	}
	return sanitize.Line(line + ": " + clipped(joined(text, said), maxHeadline-len(line)))
}

// reasons returns both parts of a reason. At least one is not empty.
func (s *State) reasons() (text, said string) {
	comment := strings.TrimSpace(s.Comment)
	if s.LacksSLS() {
		return strings.Join(strings.Fields(sanitize.Clip(comment, maxReason)), " "), ""
	}
	text, _, _ = strings.Cut(comment, "\n")
	text = strings.TrimSuffix(text, "\r") // from Windows
	said = s.Stderr()
	if said = strings.TrimSpace(said[strings.LastIndexByte(said, '\n')+1:]); text+said == "" {
		text = "Salt gives no reason"
	}
	return text, said
}

// joined returns both parts of a reason, or the one that is not empty.
func joined(text, said string) string {
	if text == "" || said == "" {
		return text + said
	}
	return strings.TrimRight(text, ".:") + ": " + said
}

// clipped returns the beginning of the first line of a text.
func clipped(s string, most int) string {
	first, _, more := strings.Cut(strings.TrimSpace(s), "\n")
	first = strings.TrimSuffix(first, "\r")
	if len(first) <= most && !more {
		return first
	}
	return strings.TrimSpace(strings.ToValidUTF8(first[:min(len(first), most)], "")) + "…"
}

package report

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// missingText is how Salt begins where a requisite is in no SLS (salt 3005,
// State.call_chunk); what is missing comes in lines of its
// own. Later versions do not compile that.
const missingText = "The following requisites were not found:"

// reason returns in a line why a state failed: the first line of its comment, or
// what is missing, and the last line that a command wrote as an error.
func reason(s *highstate.State) string {
	comment := strings.TrimSpace(s.Comment)
	if strings.HasPrefix(comment, missingText) {
		return oneLine(strings.Join(strings.Fields(plain.Clip(comment, maxLine)), " "))
	}
	text, _, _ := strings.Cut(comment, "\n")
	if said := stderr(s); text == "" {
		text = lastLine(said)
	} else if said != "" {
		text += ": " + lastLine(said)
	}
	if text == "" {
		return "Salt gives no reason"
	}
	return oneLine(text)
}

// stderr returns what a command wrote as an error, or "".
func stderr(s *highstate.State) string {
	for key, value := range rawjson.Members(rawjson.View(s.Changes)) {
		if key == "stderr" && rawjson.First(value) == '"' {
			return trimRight(rawjson.Text(value))
		}
	}
	return ""
}

func lastLine(s string) string { return strings.TrimSpace(s[strings.LastIndexByte(s, '\n')+1:]) }

// maxCauses is how many causes of a state are told.
const maxCauses = 3

// because returns a line for each cause of a state that did not run.
func because(causes []highstate.Cause) []string {
	var lines []string
	for i, c := range causes {
		if i == maxCauses {
			lines = append(lines, fmt.Sprintf("and %s", plural(len(causes)-i, "other cause")))
			break
		}
		lines = append(lines, becauseOf(c))
	}
	return lines
}

func becauseOf(c highstate.Cause) string {
	const most = 6 // that are named; of a longer way its ends
	var names []string
	for i, name := range c.Chain {
		if len(c.Chain) > most && i >= most/2 && i < len(c.Chain)-most/2 {
			if i == most/2 {
				names = append(names, "…")
			}
			continue
		}
		names = append(names, plain.Line(plain.Clip(name, maxName)))
	}
	text := strings.Join(names, " → ")
	if c.State == nil {
		return text + ", of which Salt says no more"
	}
	return fmt.Sprintf("%s (%s): %s", text, foldedLine(c.State.Function), reason(c.State))
}

// causes returns a function that says why states did not run.
func causes(states []highstate.State) func(*highstate.State) []highstate.Cause {
	var known *highstate.Requisites // most often it is not needed
	return func(s *highstate.State) []highstate.Cause {
		if !s.LacksRequisite() {
			return nil
		}
		if known == nil {
			known = highstate.NewRequisites(states)
		}
		return known.Causes(s)
	}
}

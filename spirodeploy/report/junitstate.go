package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// maxOutput is how much a test that did not fail says, in bytes as it came.
const maxOutput = 4 << 10

// testOfState returns the test of a state, and tells what a failure is because of.
// GitLab takes tests of one class and one name for one, whatever their suites are:
// so a class has the minion's name, and of equal names, which are rare, the later
// ones get a number.
func testOfState(minion string, s *highstate.State, because []string, seen map[string]int) junit.Testcase {
	test := junit.Testcase{Name: xmlLine(title(s)), Classname: minion, Time: junitSeconds(time.Duration(s.Duration))}
	if s.SLS != "" {
		test.Classname += "." + xmlLine(s.SLS)
	}
	key := test.Classname + "\x00" + test.Name
	if seen[key]++; seen[key] > 1 {
		test.Name += fmt.Sprintf(" #%d", seen[key])
	}
	if !s.Telling() {
		return test
	}
	text := strings.Join(sayings(s, because), "\n\n")
	switch s.Outcome {
	case highstate.Bad:
		message := reason(s)
		if len(because) > 0 {
			message = "Because: " + because[0]
		}
		test.Failure = &junit.Result{Message: xmlLine(message), Type: string(s.Outcome), Data: xmlText(text)}
	case highstate.Pending:
		test.Skipped = &junit.Result{Message: xmlLine(firstLine([]string{s.Comment})), Data: xmlText(sanitize.Clip(text, maxOutput))}
	case highstate.Changed, highstate.OK:
		test.SystemOut = &junit.Output{Data: xmlText(sanitize.Clip(text, maxOutput))}
	}
	return test
}

// title names a state in a line: "file.managed: shop-program (/opt/shop/bin/shop)".
func title(s *highstate.State) string {
	title := s.ID
	if s.Function != "" {
		title = s.Function + ": " + s.ID
	}
	if s.Name != "" && s.Name != s.ID {
		title += " (" + s.Name + ")"
	}
	return title
}

// sayings returns what a state says: its comment, what a failure is because of,
// its warnings and changes.
func sayings(s *highstate.State, because []string) []string {
	var says []string
	most := maxShown
	if len(because) > 0 {
		most = maxOutput // so that there is room for the cause
	}
	if comment := strings.TrimSpace(s.Comment); comment != "" {
		says = append(says, sanitize.Clip(comment, most))
	}
	for _, cause := range because {
		says = append(says, "Because: "+cause)
	}
	for _, warning := range s.Warnings {
		says = append(says, "Warning: "+sanitize.Clip(strings.TrimSpace(warning), maxShown))
	}
	tree, diff := changeTexts(s.Changes, maxShown)
	if tree != "" {
		says = append(says, "Changes:\n"+tree)
	}
	if diff != "" {
		says = append(says, diff)
	}
	return says
}

// junitSeconds returns seconds as JUnit's schema wants them.
func junitSeconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d.Seconds())) }

// junitTime returns a time as JUnit has it, which knows no zones.
func junitTime(when time.Time) string { return when.UTC().Format("2006-01-02T15:04:05") }

// xmlText returns the beginning of a text, harmless, and without what XML forbids.
func xmlText(s string) string { return legal(sanitize.Text(sanitize.Clip(s, maxShown))) }

// xmlLine is xmlText for what must stay on one line.
func xmlLine(s string) string { return legal(oneLine(s)) }

// legal replaces the two characters that XML forbids and package plain does not.
func legal(s string) string { return illegal.Replace(s) }

var illegal = strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`)

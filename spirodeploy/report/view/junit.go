package view

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/report"
)

// JUnit writes a report as JUnit XML, which CI services show as tests: a suite for the
// deployment, and one for each minion with its states. It contains a failure unless the
// verdict is Success.
func JUnit(w io.Writer, r *report.Report) error {
	out := bufio.NewWriterSize(w, 64<<10)
	_, _ = out.WriteString(xml.Header) // Flush returns the error
	enc := xml.NewEncoder(out)
	enc.Indent("", "  ")
	if err := enc.Encode(testsuites{Name: "spirodeploy", Suites: suites{r}}); err != nil {
		return err
	}
	_ = out.WriteByte('\n')
	return out.Flush()
}

type testsuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	Suites  suites   `xml:"testsuite"`
}

// suites are the suites of a report. It makes one after the other, since all of them may
// be large.
type suites struct{ *report.Report }

// MarshalXML implements [xml.Marshaler].
func (s suites) MarshalXML(enc *xml.Encoder, start xml.StartElement) error {
	id := 0
	write := func(suite junit.Testsuite) error {
		suite.ID = id
		id++
		return enc.EncodeElement(suite, start)
	}
	var results report.Results
	for _, t := range s.Targets {
		if err := write(deploymentSuite(t)); err != nil {
			return err
		}
		for _, m := range t.Minions {
			if err := write(minionSuite(t, m, &results)); err != nil {
				return err
			}
		}
	}
	return nil
}

// deploymentSuite returns the suite of the deployment itself. Its only test fails if the
// run failed and no minion did.
func deploymentSuite(t *report.Target) junit.Testsuite {
	name := xmlLine(t.Title())
	s := junit.Testsuite{Name: name, Time: junitSeconds(t.Finished.Sub(t.Started)), Timestamp: junitTime(t.Started)}
	for _, p := range [][2]string{
		{"server", t.Server}, {"bundle", string(t.Bundle.Digest)}, {"origin", t.Bundle.Origin}, {"commit", t.Bundle.Commit},
		{"verdict", string(t.Verdict)}, {"exitStatus", strconv.Itoa(t.ExitStatus)},
	} {
		if p[1] != "" {
			s.AddProperty(p[0], xmlLine(p[1]))
		}
	}
	test := junit.Testcase{Name: "deployment", Classname: name, Time: s.Time}
	if t.Verdict != report.Success && (t.Verdict != report.MinionFailed || t.Error != "") {
		test.Error = &junit.Result{Message: xmlLine(firstLine([]string{t.Summary})), Type: string(t.Verdict), Data: xmlText(t.Summary)}
	}
	warnings := each(t.Warnings, func(text string) string { return "\nwarning: " + text })
	test.SystemOut = &junit.Output{Data: xmlText(t.Summary + strings.Join(warnings, ""))}
	s.AddTestcase(test)
	return s
}

// minionSuite returns the suite of a minion.
func minionSuite(t *report.Target, m *report.Minion, results *report.Results) junit.Testsuite {
	id := xmlLine(t.Qualify(m.ID))
	s := junit.Testsuite{Name: id, Hostname: xmlLine(m.ID), Time: junitSeconds(time.Duration(m.Counts.Duration))}
	if m.Reported != nil {
		s.Timestamp = junitTime(*m.Reported)
	}
	r, err := results.Of(m)
	if err != nil && !errors.Is(err, report.ErrBrief) {
		r.States = nil // they are incomplete
	}
	seen := make(map[string]int, len(r.States))
	for state, because := range explained(r.States, isAny) {
		s.AddTestcase(testOfState(id, state, because, seen))
	}
	if whole := highstateTest(id, m, r, err); whole != nil {
		s.AddTestcase(*whole)
	}
	return s
}

// highstateTest returns the test of the highstate as a whole, or nil if the states show
// what became of it.
func highstateTest(id string, m *report.Minion, r highstate.Result, err error) *junit.Testcase {
	says := each(r.Messages, sanitize.LF)
	if err != nil {
		says = append(says, "its states are missing: "+err.Error())
	}
	test := &junit.Testcase{Name: "highstate", Classname: id, Time: junitSeconds(0)}
	text := xmlText(strings.Join(says, "\n"))
	problem := func(message string) *junit.Result {
		return &junit.Result{Message: xmlLine(message), Type: string(m.Status), Data: text}
	}
	switch {
	case m.Status == highstate.Unreported:
		test.Error = problem("it did not report")
	case m.Status == highstate.NoAnswer, m.Status == highstate.NotCompiled, m.Status == highstate.NotReached:
		test.Error = problem(firstLine(says))
	case m.Status == highstate.Failed && (len(r.States) == 0 || m.Counts.Failed == 0):
		if len(says) == 0 {
			says = []string{fmt.Sprintf("no state failed, but Salt's return code is %d", m.Retcode)}
		}
		test.Failure = problem(firstLine(says))
	case err != nil || m.Counts.Total == 0:
		test.SystemOut = &junit.Output{Data: text}
	default:
		return nil
	}
	return test
}

// maxOutput is the size of the output of a test that did not fail, in bytes before
// escapes.
const maxOutput = 4 << 10

// testOfState returns the test of a state. GitLab takes tests with the same class and
// name for one, even in different suites: so the class contains the name of the minion,
// and equal names get a number.
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
	text := saying(s, because)
	switch s.Outcome {
	case highstate.Bad:
		message := s.Reason()
		if len(because) > 0 {
			message = "Because: " + because[0]
		}
		test.Failure = &junit.Result{Message: xmlLine(message), Type: "failed", Data: xmlText(text)}
	case highstate.Pending:
		test.Skipped = &junit.Result{Message: xmlLine(firstLine([]string{s.Comment})), Data: xmlText(sanitize.Clip(text, maxOutput))}
	case highstate.Changed, highstate.OK:
		test.SystemOut = &junit.Output{Data: xmlText(sanitize.Clip(text, maxOutput))}
	}
	return test
}

// title names a state: "file.managed: shop-program (/opt/shop/bin/shop)".
func title(s *highstate.State) string {
	title := s.ID
	if s.Function != "" {
		title = s.Function + ": " + s.ID
	}
	if name := otherName(s); name != "" {
		title += " (" + name + ")"
	}
	return title
}

// saying returns what a state says: its comment, causes, warnings and changes.
func saying(s *highstate.State, because []string) string {
	most := maxShown
	if len(because) > 0 {
		most = maxOutput // leave room for the cause
	}
	causes := each(because, func(cause string) string { return "Because: " + cause })
	warnings := each(s.Warnings, func(warning string) string {
		return "Warning: " + sanitize.LF(sanitize.Clip(strings.TrimSpace(warning), maxShown))
	})
	tree, diff := changeTexts(s.Changes)
	if tree != "" {
		tree = "Changes:\n" + tree
	}
	comment := sanitize.LF(sanitize.Clip(strings.TrimSpace(s.Comment), most))
	return joined("\n\n", slices.Concat([]string{comment}, causes, warnings, []string{tree, diff})...)
}

// junitSeconds returns seconds as the schema of JUnit requires.
func junitSeconds(d time.Duration) string { return fmt.Sprintf("%.3f", max(0, d.Seconds())) }

// junitTime returns a time in the format of JUnit, which has no time zones.
func junitTime(when time.Time) string { return when.UTC().Format("2006-01-02T15:04:05") }

// xmlText returns the beginning of a text, without characters that XML forbids.
func xmlText(s string) string { return illegal.Replace(sanitize.Text(sanitize.Clip(s, maxShown))) }

// xmlLine is xmlText in one line.
func xmlLine(s string) string { return illegal.Replace(oneLine(s)) }

// illegal are the two characters that XML forbids and package sanitize does not replace.
var illegal = strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`)

package report

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// WriteJUnit writes the report as JUnit XML, which CI services show as tests: a
// suite for the deployment, and one for each minion, with its states. Whoever
// sees nothing else sees a failure where the verdict is no success. The errors
// are those of w.
func (r *Report) WriteJUnit(w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	_, _ = out.WriteString(xml.Header) // out remembers its first error
	j := junitWriter{Encoder: xml.NewEncoder(out)}
	j.Indent("", "  ")
	root := xml.StartElement{Name: xml.Name{Local: "testsuites"}, Attr: []xml.Attr{{Name: xml.Name{Local: "name"}, Value: "spirodeploy"}}}
	if err := j.EncodeToken(root); err != nil {
		return err
	}
	for _, t := range r.Targets {
		if err := j.suite(t.suite()); err != nil {
			return err
		}
		for _, m := range t.Minions {
			if err := j.suite(m.suite(t, &j.buf)); err != nil {
				return err
			}
		}
	}
	if err := j.EncodeToken(root.End()); err != nil {
		return err
	}
	if err := j.Flush(); err != nil {
		return err
	}
	_ = out.WriteByte('\n')
	return out.Flush()
}

// junitWriter writes one suite after the other: all of them may be large.
type junitWriter struct {
	*xml.Encoder
	suites int
	buf    []byte // for the details of minions
}

func (j *junitWriter) suite(s junit.Testsuite) error {
	s.ID = j.suites
	j.suites++
	return j.EncodeElement(s, xml.StartElement{Name: xml.Name{Local: "testsuite"}})
}

// suite returns the suite of the deployment itself, with one test: it fails where
// no minion's does, and yet the verdict is no success.
func (t *Target) suite() junit.Testsuite {
	name := xmlLine(t.title())
	s := junit.Testsuite{Name: name, Time: junitSeconds(t.Finished.Sub(t.Started)), Timestamp: junitTime(t.Started)}
	for _, p := range t.properties() {
		if p.value != "" {
			s.AddProperty(p.name, xmlLine(p.value))
		}
	}
	test := junit.Testcase{Name: "deployment", Classname: name, Time: s.Time}
	if t.Verdict != Success && (t.Verdict != MinionFailed || t.Error != "") {
		test.Error = &junit.Result{Message: xmlLine(firstLine([]string{t.Summary})), Type: string(t.Verdict), Data: xmlText(t.Summary)}
	}
	lines := []string{t.Summary}
	for _, warning := range t.Warnings {
		lines = append(lines, "warning: "+warning)
	}
	test.SystemOut = &junit.Output{Data: xmlText(strings.Join(lines, "\n"))}
	s.AddTestcase(test)
	return s
}

type property struct{ name, value string }

// properties are facts of a deployment that views show beside the verdict.
func (t *Target) properties() []property {
	return []property{
		{"server", t.Server},
		{"bundle", string(t.Bundle.Digest)},
		{"commit", t.Bundle.Commit},
		{"verdict", string(t.Verdict)},
		{"exitStatus", strconv.Itoa(t.ExitStatus)},
	}
}

// suite returns the suite of a minion.
func (m *Minion) suite(t *Target, buf *[]byte) junit.Testsuite {
	id := xmlLine(t.whole(m.ID))
	s := junit.Testsuite{Name: id, Hostname: xmlLine(m.ID), Time: junitSeconds(time.Duration(m.Counts.Duration))}
	if m.Reported != nil {
		s.Timestamp = junitTime(*m.Reported)
	}
	r, err := m.read(buf)
	states := r.States
	if err != nil {
		states = nil // there may be some, which would not be all
	}
	seen, causes := make(map[string]int, len(states)), causesOf(states)
	for i := range states {
		s.AddTestcase(testOfState(id, &states[i], causes.because(&states[i]), seen))
	}
	if whole := m.test(r, err); whole != nil {
		whole.Classname = id
		s.AddTestcase(*whole)
	}
	return s
}

// test returns the test of the highstate as a whole, if its states do not tell
// what became of it; else nil.
func (m *Minion) test(r highstate.Result, err error) *junit.Testcase {
	says := slices.Clone(r.Messages)
	if err != nil {
		says = append(says, "its states are missing: "+err.Error())
	}
	test := &junit.Testcase{Name: "highstate", Time: junitSeconds(0)}
	text := xmlText(strings.Join(says, "\n"))
	problem := func(message string) *junit.Result {
		return &junit.Result{Message: xmlLine(message), Type: string(m.Status), Data: text}
	}
	switch {
	case m.Status == highstate.Unreported:
		test.Error = problem("it did not report")
	case m.Status == highstate.NoAnswer, m.Status == highstate.NotCompiled, m.Status == highstate.NotReached:
		test.Error = problem(firstLine(says))
	case m.Status == highstate.Failed && (err != nil || m.Counts.Failed == 0):
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

// Package highstate reads what Salt returns for a minion's highstate, and says
// whether it succeeded.
//
// The verdict is Salt's own (salt 3005, salt.utils.state.check_result, and the
// return code of the job): a state whose result is false fails, null (what
// would change in test mode) does not, no states at all fail, and so does
// everything that is no mapping of states. It is stricter in one point: Salt
// forgives a failed state that an onfail requisite has answered; here it is
// a failed state.
package highstate

import (
	"encoding/json"
	"time"
)

// Status says how a highstate ended.
type Status string

// The ways for a highstate to end.
const (
	Succeeded   Status = "succeeded"
	Failed      Status = "failed"       // a state failed, or Salt says so
	NotCompiled Status = "not-compiled" // no state ran: an SLS does not render, say
	NoAnswer    Status = "no-answer"    // the minion did not answer Salt in time
	Unreported  Status = "unreported"   // nothing was heard of the minion
	NotReached  Status = "not-reached"  // the minion was expected, and the server did not find it
)

// Result is what a minion's highstate came to.
type Result struct {
	Status   Status   `json:"status"`
	States   []State  `json:"states,omitempty"`   // in the order in which they ran
	Messages []string `json:"messages,omitempty"` // what Salt says in place of states
	Retcode  int      `json:"retcode"`            // Salt's: 1 did not compile, 2 a state failed; -1 for what is no whole number
	JID      string   `json:"jid,omitempty"`      // id of the Salt job

	sls []string
}

// SLS returns the names of the SLS that the states are from, each once, in the order in
// which Salt returned them: the first 200, also of a [Brief].
func (r Result) SLS() []string { return r.sls }

// Outcome says how a state ended.
type Outcome string

// The ways for a state to end.
const (
	OK      Outcome = "ok"      // as it should be already
	Changed Outcome = "changed" // made so
	Pending Outcome = "pending" // would be changed (test mode)
	Bad     Outcome = "bad"     // failed; "failed" in JSON
)

// MarshalText returns the outcome as JSON shows it.
func (o Outcome) MarshalText() ([]byte, error) {
	if o == Bad {
		return []byte(Failed), nil
	}
	return []byte(o), nil
}

// UnmarshalText reads the outcome as JSON shows it.
func (o *Outcome) UnmarshalText(text []byte) error {
	if *o = Outcome(text); *o == Outcome(Failed) {
		*o = Bad
	}
	return nil
}

// State is one state of a highstate.
type State struct {
	ID       string          `json:"id"`
	Function string          `json:"function"` // "file.managed"
	Name     string          `json:"name"`
	SLS      string          `json:"sls,omitempty"`
	Outcome  Outcome         `json:"outcome"`
	Comment  string          `json:"comment,omitempty"`
	Changes  json.RawMessage `json:"changes,omitempty"` // as Salt has it, if there are any
	Warnings []string        `json:"warnings,omitempty"`
	Start    string          `json:"start,omitempty"` // the minion's clock, as Salt writes it
	Duration Milliseconds    `json:"durationMs"`
}

// Telling reports whether people are to see the state: it is not just as it
// should be, or there are warnings.
func (s *State) Telling() bool { return s.Outcome != OK || len(s.Warnings) > 0 }

// Milliseconds is a duration that JSON shows as a number of milliseconds.
type Milliseconds time.Duration

// MarshalJSON writes milliseconds, with fractions.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(m) / float64(time.Millisecond))
}

// UnmarshalJSON reads milliseconds.
func (m *Milliseconds) UnmarshalJSON(b []byte) error {
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*m = milliseconds(f)
	return nil
}

func milliseconds(f float64) Milliseconds {
	if !(f < 1e12) { // 30 years, or no number at all
		return 0
	}
	return Milliseconds(f * float64(time.Millisecond))
}

// Counts are what a summary tells, with Salt's words.
type Counts struct {
	Total     int          `json:"total"`
	Succeeded int          `json:"succeeded"` // Changed and Pending ones included
	Changed   int          `json:"changed"`
	Pending   int          `json:"pending"`
	Failed    int          `json:"failed"`
	Duration  Milliseconds `json:"durationMs"` // of all states together
}

// Counts counts the states.
func (r Result) Counts() Counts {
	var c Counts
	for i := range r.States {
		c.add(&r.States[i])
	}
	c.Succeeded = c.Total - c.Failed
	return c
}

// add counts a state, but for Succeeded.
func (c *Counts) add(s *State) {
	c.Total++
	c.Duration += s.Duration
	switch s.Outcome {
	case Bad:
		c.Failed++
	case Changed:
		c.Changed++
	case Pending:
		c.Pending++
	case OK:
	}
}

// Package highstate reads the result that Salt returns for the highstate of a minion, and
// says whether it succeeded.
//
// The verdict is Salt's own (salt 3005, salt.utils.state.check_result, and the return code
// of the job). A state with the result false fails. A state with the result null, which
// would change in test mode, does not. A highstate without states fails, and so does
// anything but a mapping of states. In one point the verdict is stricter: Salt forgives a
// failed state that an onfail requisite answers. Here it has failed.
package highstate

import (
	"encoding/json"
	"math"
	"time"
)

// Status is how a highstate ended.
type Status string

// The statuses of a highstate.
const (
	Succeeded   Status = "succeeded"
	Failed      Status = "failed"       // a state failed, or Salt says so
	NotCompiled Status = "not-compiled" // no state ran, for example because an SLS does not render
	NoAnswer    Status = "no-answer"    // the minion did not answer Salt in time
	Unreported  Status = "unreported"   // the minion did not report
	NotReached  Status = "not-reached"  // the minion was expected, and the server did not find it
)

// Result is the result of a minion's highstate.
type Result struct {
	Status   Status   `json:"status"`
	States   []State  `json:"states,omitempty"`   // in the order in which they ran
	Messages []string `json:"messages,omitempty"` // from Salt, instead of states
	Retcode  int      `json:"retcode"`            // from Salt: 1 did not compile, 2 a state failed; -1 if it is not a whole number
	JID      string   `json:"jid,omitempty"`      // id of the Salt job

	sls []string
}

// SLS returns the names of up to 200 SLS of the states, each once, in the order of Salt.
func (r Result) SLS() []string { return r.sls }

// Outcome is how a state ended.
type Outcome string

// The outcomes of a state.
const (
	OK      Outcome = "ok"      // as it should be already
	Changed Outcome = "changed" // changed to what it should be
	Pending Outcome = "pending" // would change (test mode)
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
	Changes  json.RawMessage `json:"changes,omitempty"` // as Salt returns them
	Warnings []string        `json:"warnings,omitempty"`
	Start    string          `json:"start,omitempty"` // time of day on the minion, as Salt writes it
	Duration Milliseconds    `json:"durationMs"`
}

// Telling reports whether people want to see the state: it changed, would change or
// failed, or it has warnings.
func (s *State) Telling() bool { return s.Outcome != OK || len(s.Warnings) > 0 }

// Milliseconds is a duration. JSON has it as a number of milliseconds.
type Milliseconds time.Duration

// MarshalJSON writes milliseconds with fractions.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(m) / float64(time.Millisecond))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Milliseconds) UnmarshalJSON(b []byte) error {
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*m = 0
	if f < maxMilliseconds {
		*m = Milliseconds(math.Round(f * float64(time.Millisecond)))
	}
	return nil
}

// maxMilliseconds is about 30 years.
const maxMilliseconds = 1e12

// milliseconds returns a duration of a minion, and 0 for one that is too long or not a
// number.
func milliseconds(f float64) Milliseconds {
	if !(f < maxMilliseconds) {
		return 0
	}
	return Milliseconds(f * float64(time.Millisecond))
}

// Counts are the numbers of a summary, with Salt's words.
type Counts struct {
	Total     int          `json:"total"`
	Succeeded int          `json:"succeeded"` // including Changed and Pending
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
	return c
}

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
	c.Succeeded = c.Total - c.Failed
}

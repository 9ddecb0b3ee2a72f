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
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/rawjson"
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
)

// Result is what a minion's highstate came to.
type Result struct {
	Status   Status   `json:"status"`
	States   []State  `json:"states,omitempty"`   // in the order in which they ran
	Messages []string `json:"messages,omitempty"` // what Salt says in place of states
	Retcode  int      `json:"retcode"`            // Salt's: 1 did not compile, 2 a state failed
	JID      string   `json:"jid,omitempty"`      // id of the Salt job
}

// Outcome says how a state ended.
type Outcome string

// The ways for a state to end.
const (
	OK      Outcome = "ok"      // as it should be already
	Changed Outcome = "changed" // made so
	Pending Outcome = "pending" // would be changed (test mode)
	Bad     Outcome = "failed"
)

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
	c := Counts{Total: len(r.States)}
	for _, s := range r.States {
		c.Duration += s.Duration
		switch s.Outcome {
		case Bad:
			c.Failed++
		case Changed:
			c.Changed++
		case Pending:
			c.Pending++
		}
	}
	c.Succeeded = c.Total - c.Failed
	return c
}

// Limits of what is believed. More is what no Salt returns.
const (
	maxStates = 100_000 // of a highstate
	maxTexts  = 10_000  // in a list of messages or warnings
	maxDepth  = 100     // levels of nesting
	maxJID    = 255     // of a job's id, in bytes
)

// Parse reads the "result" of a highstate-update. It cannot fail: what is no
// result that Salt gives is a failed highstate that says so. Nothing of raw is
// kept.
func Parse(raw json.RawMessage) Result {
	no := func(why string) Result {
		return Result{Status: Failed, Messages: []string{"Salt returned no result of a highstate: " + why}}
	}
	switch {
	case rawjson.Depth(raw) > maxDepth:
		return no(fmt.Sprintf("what it returned is nested deeper than %d levels", maxDepth))
	case !json.Valid(raw), rawjson.First(raw) != '{':
		return no(short(raw))
	}
	var r Result
	var failed, ret json.RawMessage
	for key, value := range rawjson.Members(raw) {
		switch key {
		case "failed":
			failed = value
		case "ret":
			ret = value
		case "retcode":
			r.Retcode = int(number(value))
		case "jid":
			r.JID = plain.Clip(text(value), maxJID)
		}
	}
	if truthy(failed) {
		r.Status, r.Messages = NoAnswer, []string{"The minion did not answer."}
		return r
	}
	r.readRet(ret)
	if r.Status == Succeeded && (r.Retcode != 0 || slices.ContainsFunc(r.States, func(s State) bool { return s.Outcome == Bad })) {
		r.Status = Failed
	}
	return r
}

// readRet reads "ret", which is of another type for each way to fail.
func (r *Result) readRet(raw json.RawMessage) {
	r.Status = Failed
	switch rawjson.First(raw) {
	case '{':
		r.readStates(raw)
		return
	case '[':
		r.Status, r.Messages = NotCompiled, texts(raw)
		for i, msg := range r.Messages {
			r.Messages[i] = strings.TrimRight(msg, "\n")
		}
	case 0:
		r.Messages = []string{"Salt returned no result."}
		return
	case '"':
		r.Messages = []string{text(raw)}
	default:
		r.Messages = []string{"Salt returned " + short(raw) + " in place of states."}
	}
	if r.Retcode == 1 {
		r.Status = NotCompiled
	}
}

// readStates reads the mapping of tags to states. Its order counts where states
// do not tell when they ran.
func (r *Result) readStates(raw json.RawMessage) {
	type numbered struct {
		State
		run float64
	}
	const last = 1 << 53 // later than any that has a number
	var states []numbered
	for tag, value := range rawjson.Members(raw) {
		if tag == "__extend__" && rawjson.First(value) == '[' {
			continue
		}
		if len(states) == maxStates {
			r.Messages = []string{"Salt returned more than " + plain.Thousands(maxStates) + " states, which cannot be."}
			return
		}
		s, run, ok := readState(tag, value)
		if !ok {
			run = last
		}
		states = append(states, numbered{s, run})
	}
	slices.SortStableFunc(states, func(a, b numbered) int { return cmp.Compare(a.run, b.run) })
	r.Status, r.States = Succeeded, make([]State, 0, len(states))
	for _, s := range states {
		r.States = append(r.States, s.State)
	}
	if len(states) == 0 {
		r.Status, r.Messages, r.States = Failed, []string{"No states ran."}, nil
	}
}

// readState reads one state. It reports whether the state tells when it ran.
func readState(tag string, raw json.RawMessage) (s State, run float64, ok bool) {
	if rawjson.First(raw) != '{' {
		s.splitTag(tag, "")
		s.Outcome, s.Comment = Bad, "Salt returned "+short(raw)+" in place of a state."
		return s, 0, false
	}
	var id, name string
	var changes json.RawMessage
	for key, value := range rawjson.Members(raw) {
		switch key {
		case "__id__":
			id = text(value)
		case "name":
			name = text(value)
		case "__sls__":
			s.SLS = text(value)
		case "start_time":
			s.Start = text(value)
		case "comment":
			s.Comment = text(value)
		case "warnings":
			s.Warnings = texts(value)
		case "duration":
			s.Duration = milliseconds(max(0, number(value)))
		case "changes":
			changes = value
		case "__run_num__":
			run, ok = number(value), isNumber(value)
		}
	}
	s.splitTag(tag, id)
	if name != "" {
		s.Name = name
	}
	if truthy(changes) {
		s.Changes = slices.Clone(changes) // not to keep the whole event
	}
	s.Outcome = outcome(raw, len(s.Changes) > 0)
	return s, run, ok
}

func outcome(raw json.RawMessage, changed bool) Outcome {
	result, has := resultOf(raw)
	switch {
	case result == "false", !has && !nestedOK(raw):
		return Bad
	case result == "null" && has:
		return Pending
	case changed:
		return Changed
	}
	return OK
}

// resultOf returns the "result" of a state as it is written.
func resultOf(raw json.RawMessage) (result string, has bool) {
	for key, value := range rawjson.Members(raw) {
		if key == "result" {
			result, has = short(value), true
		}
	}
	return result, has
}

// nestedOK judges an entry without a result as Salt does: by the entries in it.
func nestedOK(raw json.RawMessage) bool {
	found := false
	for _, inner := range rawjson.Members(raw) {
		found = true
		if rawjson.First(inner) != '{' {
			continue
		}
		result, has := resultOf(inner)
		if result == "false" || !has && !nestedOK(inner) {
			return false
		}
	}
	return found
}

// separator stands between the parts of a tag, MODULE_|-ID_|-NAME_|-FUNCTION.
const separator = "_|-"

// splitTag fills in what a tag says. NAME, and even ID, may have the separator
// in it: knowing the ID helps.
func (s *State) splitTag(tag, id string) {
	module, rest, found := strings.Cut(tag, separator)
	end := strings.LastIndex(rest, separator)
	if !found || end < 0 {
		s.ID, s.Name = tag, tag
		return
	}
	s.Function = module + "." + rest[end+len(separator):]
	middle := rest[:end]
	if name, ok := strings.CutPrefix(middle, id+separator); ok && id != "" {
		s.ID, s.Name = id, name
		return
	}
	s.ID, s.Name, _ = strings.Cut(middle, separator)
}

// truthy is what Python takes for true.
func truthy(raw json.RawMessage) bool {
	switch rawjson.First(raw) {
	case 0, 'n', 'f':
		return false
	case 't':
		return true
	case '"', '[', '{':
		return !rawjson.Empty(raw)
	}
	return number(raw) != 0
}

// maxDecoded is the size in bytes up to which a value that is meant to be a text
// and is none is tidied up; a larger one stays as it is written.
const maxDecoded = 64 << 10

// text returns a value as a person would write it: a list is a line for each.
func text(raw json.RawMessage) string {
	switch rawjson.First(raw) {
	case 0, 'n':
		return ""
	case '"':
		var s string
		_ = json.Unmarshal(raw, &s) // it is a valid text
		return s
	case '[':
		var b strings.Builder
		b.Grow(len(raw)) // about what it takes; to grow takes twice that
		for item := range rawjson.Elements(raw) {
			b.WriteString(text(item))
			b.WriteByte('\n')
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	var v any
	if len(raw) > maxDecoded || json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// texts returns a list, or the one text there is.
func texts(raw json.RawMessage) []string {
	if rawjson.First(raw) != '[' {
		if s := text(raw); s != "" {
			return []string{s}
		}
		return nil
	}
	var all []string
	n := 0
	for item := range rawjson.Elements(raw) {
		if n++; n <= maxTexts {
			all = append(all, text(item))
		}
	}
	if n > maxTexts {
		all = append(all, "(and "+plain.Thousands(n-maxTexts)+" more)")
	}
	return all
}

func isNumber(raw json.RawMessage) bool {
	c := rawjson.First(raw)
	return c == '-' || c >= '0' && c <= '9'
}

// number returns 12 for 12, "12" and "12 ms", and 0 for what is no number.
func number(raw json.RawMessage) float64 {
	s := string(raw)
	switch {
	case rawjson.First(raw) == '"':
		s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text(raw)), "ms"))
	case !isNumber(raw):
		return 0
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return f
}

// short returns the beginning of a value.
func short(raw json.RawMessage) string {
	const most = 100
	r := []rune(string(raw[:min(len(raw), 4*most)])) // at least as many, if there are
	if len(r) <= most && len(raw) <= 4*most {
		return string(raw)
	}
	return string(r[:most]) + "…"
}

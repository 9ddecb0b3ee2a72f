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
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
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

// Parse reads the "result" of a highstate-update. It cannot fail: what is no
// result that Salt gives is a failed highstate that says so.
func Parse(raw json.RawMessage) Result {
	var result struct {
		Failed  any             `json:"failed"`
		Ret     json.RawMessage `json:"ret"`
		Retcode any             `json:"retcode"`
		JID     any             `json:"jid"`
	}
	if err := json.Unmarshal(raw, &result); err != nil {
		return Result{Status: Failed, Messages: []string{"Salt returned no result of a highstate: " + short(raw)}}
	}
	r := Result{JID: text(result.JID), Retcode: int(number(result.Retcode))}
	if truthy(result.Failed) {
		r.Status, r.Messages = NoAnswer, []string{"The minion did not answer."}
		return r
	}
	r.readRet(result.Ret)
	if r.Status == Succeeded && (r.Retcode != 0 || slices.ContainsFunc(r.States, func(s State) bool { return s.Outcome == Bad })) {
		r.Status = Failed
	}
	return r
}

// readRet reads "ret", which is of another type for each way to fail.
func (r *Result) readRet(raw json.RawMessage) {
	r.Status = Failed
	var value any
	switch first(raw) {
	case '{':
		r.readStates(raw)
		return
	case '[':
		r.Status = NotCompiled
		var list []any
		_ = json.Unmarshal(raw, &list) // it was valid as a part of the whole
		for _, v := range list {
			r.Messages = append(r.Messages, strings.TrimRight(text(v), "\n"))
		}
	case 0:
		r.Messages = []string{"Salt returned no result."}
		return
	default:
		_ = json.Unmarshal(raw, &value) // as above
		switch v := value.(type) {
		case string:
			r.Messages = []string{v}
		default:
			r.Messages = []string{"Salt returned " + short(raw) + " in place of states."}
		}
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
	for tag, value := range members(raw) {
		if tag == "__extend__" && first(value) == '[' {
			continue
		}
		s, run, ok := readState(tag, value)
		if !ok {
			run = last
		}
		states = append(states, numbered{s, run})
	}
	slices.SortStableFunc(states, func(a, b numbered) int {
		switch {
		case a.run < b.run:
			return -1
		case a.run > b.run:
			return 1
		}
		return 0
	})
	r.Status = Succeeded
	for _, s := range states {
		r.States = append(r.States, s.State)
	}
	if len(states) == 0 {
		r.Status, r.Messages = Failed, []string{"No states ran."}
	}
}

// members yields the members of a JSON object in their order.
func members(raw json.RawMessage) func(func(string, json.RawMessage) bool) {
	return func(yield func(string, json.RawMessage) bool) {
		dec := json.NewDecoder(bytes.NewReader(raw))
		if _, err := dec.Token(); err != nil {
			return
		}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return
			}
			name, _ := key.(string) // a key is nothing else
			var value json.RawMessage
			if dec.Decode(&value) != nil || !yield(name, value) {
				return
			}
		}
	}
}

// readState reads one state. It reports whether the state tells when it ran.
func readState(tag string, raw json.RawMessage) (s State, run float64, ok bool) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || fields == nil {
		s.splitTag(tag, "")
		s.Outcome, s.Comment = Bad, "Salt returned "+short(raw)+" in place of a state."
		return s, 0, false
	}
	value := func(key string) (v any) {
		_ = json.Unmarshal(fields[key], &v) // absent, it is nil
		return v
	}
	s.splitTag(tag, text(value("__id__")))
	if name := text(value("name")); name != "" {
		s.Name = name
	}
	s.SLS, s.Start = text(value("__sls__")), text(value("start_time"))
	s.Comment = text(value("comment"))
	s.Warnings = texts(value("warnings"))
	s.Duration = milliseconds(max(0, number(value("duration"))))
	if changes := fields["changes"]; truthy(value("changes")) {
		s.Changes = slices.Clone(changes) // not to keep the whole event
	}
	s.Outcome = outcome(fields, len(s.Changes) > 0)
	_, isNumber := value("__run_num__").(float64)
	return s, number(value("__run_num__")), isNumber
}

func outcome(fields map[string]json.RawMessage, changed bool) Outcome {
	raw, has := fields["result"]
	switch {
	case string(raw) == "false", !has && !nestedOK(fields):
		return Bad
	case string(raw) == "null" && has:
		return Pending
	case changed:
		return Changed
	}
	return OK
}

// nestedOK judges an entry without a result as Salt does: by the entries in it.
func nestedOK(fields map[string]json.RawMessage) bool {
	for _, raw := range fields {
		var inner map[string]json.RawMessage
		if first(raw) != '{' || json.Unmarshal(raw, &inner) != nil {
			continue
		}
		result, has := inner["result"]
		if string(result) == "false" || !has && !nestedOK(inner) {
			return false
		}
	}
	return len(fields) > 0
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

// first returns the first byte of a value, 0 if there is none. White space has
// been taken off by the decoder.
func first(raw json.RawMessage) byte {
	if len(raw) == 0 {
		return 0
	}
	return raw[0]
}

// truthy is what Python takes for true.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case float64:
		return v != 0
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

// text returns a value as a person would write it: a list is a line for each.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		return strings.Join(texts(v), "\n")
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// texts returns a list, or the one text there is.
func texts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		if s := text(v); s != "" {
			return []string{s}
		}
		return nil
	}
	var all []string
	for _, item := range list {
		all = append(all, text(item))
	}
	return all
}

// number returns 12 for 12, "12" and "12 ms", and 0 for what is no number.
func number(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(v), "ms")), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return 0
		}
		return f
	}
	return 0
}

// short returns the beginning of a value.
func short(raw json.RawMessage) string {
	if r := []rune(string(raw)); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return string(raw)
}

package highstate_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Limits of what is believed. More is what no Salt returns.
const (
	maxStates = 100_000 // of a highstate
	maxTexts  = 10_000  // in a list of messages or warnings
	maxDepth  = 100     // levels of nesting
	maxJID    = 255     // of a job's id, in bytes
)

// parseSlowly reads a result in a simple and slow way, level by level with package json.
func parseSlowly(raw json.RawMessage) highstate.Result {
	no := func(why string) highstate.Result {
		return highstate.Result{Status: highstate.Failed, Messages: []string{"Salt returned no result of a highstate: " + why}}
	}
	switch {
	case rawDepth(raw) > maxDepth:
		return no(fmt.Sprintf("what it returned is nested deeper than %d levels", maxDepth))
	case !json.Valid(raw), rawFirst(raw) != '{':
		return no(short(raw))
	}
	var r highstate.Result
	var failed, ret json.RawMessage
	for key, value := range rawMembers(raw) {
		switch key {
		case "failed":
			failed = value
		case "ret":
			ret = value
		case "retcode":
			r.Retcode = oracleRetcode(value)
		case "jid":
			r.JID = sanitize.Clip(text(value), maxJID)
		}
	}
	if truthy(failed) {
		r.Status, r.Messages = highstate.NoAnswer, []string{"The minion did not answer."}
		return r
	}
	oracleRet(&r, ret)
	if r.Status == highstate.Succeeded && (r.Retcode != 0 || slices.ContainsFunc(r.States, func(s highstate.State) bool { return s.Outcome == highstate.Bad })) {
		r.Status = highstate.Failed
	}
	return r
}

// oracleRetcode returns a return code: 0 for what Python takes for false, and -1 for what is no
// whole number.
func oracleRetcode(raw json.RawMessage) int {
	f := number(raw)
	switch n, err := strconv.Atoi(strings.Trim(string(raw), `"`)); {
	case !truthy(raw):
		return 0
	case string(raw) == "true":
		return 1
	case err == nil && n != 0:
		return n
	case f == 0 || f != math.Trunc(f) || math.Abs(f) > 1<<53:
		return -1
	}
	return int(f)
}

// oracleRet reads "ret". Its type depends on how the highstate failed.
func oracleRet(r *highstate.Result, raw json.RawMessage) {
	r.Status = highstate.Failed
	switch rawFirst(raw) {
	case '{':
		oracleStates(r, raw)
		return
	case '[':
		r.Status, r.Messages = highstate.NotCompiled, texts(raw)
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
		r.Status = highstate.NotCompiled
	}
}

// readStates reads the mapping of tags to states. Its order decides if states do not
// tell when they ran.
func oracleStates(r *highstate.Result, raw json.RawMessage) {
	type numbered struct {
		highstate.State
		run float64
	}
	const last = 1 << 53 // later than any that has a number
	var states []numbered
	for tag, value := range rawMembers(raw) {
		if tag == "__extend__" && rawFirst(value) == '[' {
			continue
		}
		if len(states) == maxStates {
			r.Messages = []string{"Salt returned more than " + human.Thousands(maxStates) + " states, which cannot be."}
			return
		}
		s, run, ok := readState(tag, value)
		if !ok {
			run = last
		}
		states = append(states, numbered{s, run})
	}
	slices.SortStableFunc(states, func(a, b numbered) int { return cmp.Compare(a.run, b.run) })
	r.Status, r.States = highstate.Succeeded, make([]highstate.State, 0, len(states))
	for _, s := range states {
		r.States = append(r.States, s.State)
	}
	if len(states) == 0 {
		r.Status, r.Messages, r.States = highstate.Failed, []string{"No states ran."}, nil
	}
}

// readState reads one state. It reports whether the state tells when it ran.
func readState(tag string, raw json.RawMessage) (s highstate.State, run float64, ok bool) {
	if rawFirst(raw) != '{' {
		splitTag(&s, tag, "")
		s.Outcome, s.Comment = highstate.Bad, "Salt returned "+short(raw)+" in place of a state."
		return s, 0, false
	}
	var id, name string
	var changes json.RawMessage
	for key, value := range rawMembers(raw) {
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
	splitTag(&s, tag, id)
	if name != "" {
		s.Name = name
	}
	if truthy(changes) {
		s.Changes = slices.Clone(changes) // not to keep the whole event
	}
	s.Outcome = outcome(raw, len(s.Changes) > 0)
	return s, run, ok
}

func outcome(raw json.RawMessage, changed bool) highstate.Outcome {
	result, has := resultOf(raw)
	switch {
	case result == "false", !has && !nestedOK(raw):
		return highstate.Bad
	case result == "null" && has:
		return highstate.Pending
	case changed:
		return highstate.Changed
	}
	return highstate.OK
}

// resultOf returns the "result" of a state as it is written.
func resultOf(raw json.RawMessage) (result string, has bool) {
	for key, value := range rawMembers(raw) {
		if key == "result" {
			result, has = short(value), true
		}
	}
	return result, has
}

// nestedOK judges an entry without a result by the entries in it, as Salt does.
func nestedOK(raw json.RawMessage) bool {
	found := false
	for _, inner := range rawMembers(raw) {
		found = true
		if rawFirst(inner) != '{' {
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

// splitTag reads a tag. NAME and even ID may contain the separator, so a known ID helps.
func splitTag(s *highstate.State, tag, id string) {
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

package spirotest

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Outcome is how a [State] ended.
type Outcome int

const (
	// Succeeded is a state that is as it should be: result true.
	Succeeded Outcome = iota
	// Failed is a state that failed: result false.
	Failed
	// WouldChange is a state in test mode that would change something: result
	// null, which Salt does not count as a failure.
	WouldChange
	// RequisiteFailed is a state that was not run because one that it needs
	// failed: result false, and no name or __id__, as Salt returns it.
	RequisiteFailed
)

// State is one state of a highstate, for [States].
type State struct {
	SLS      string         // the SLS that it comes from, "app.config"
	ID       string         // its id in the SLS
	Name     string         // its name; by default the ID
	Function string         // "file.managed"; by default "test.nop"
	Result   Outcome        // by default Succeeded
	Comment  string         // what Salt says about it
	Changes  map[string]any // what it changed
	Duration time.Duration  // how long it took
	Warnings []string       // left out if there are none
}

// States is the [Minion].Result of a highstate that ran these states in this
// order, as Salt 3005 returns it. Its retcode is 0, or 2 if a state failed
// or there is none. The job id and the times of the states are those of the
// report.
func States(states ...State) any { return stateReturn(states) }

// NotCompiled is the [Minion].Result of a highstate that did not compile, with
// Salt's messages ("Rendering SLS 'shop/prod:app' failed: …") and retcode 1.
func NotCompiled(messages ...string) any { return errorReturn(messages) }

// NoAnswer is the [Minion].Result that a Salt master gives for a minion that
// did not answer in time.
func NoAnswer() any { return object{{"failed", true}} }

// everythingSucceeded is the result of a minion that has none, of the first SLS that the
// top file gives it.
func everythingSucceeded(sls string) any {
	return States(State{SLS: cmp.Or(sls, "app"), ID: "nothing", Comment: "Success!", Duration: time.Millisecond})
}

type stateReturn []State

// MarshalJSON renders the return at the time of the call.
func (states stateReturn) MarshalJSON() ([]byte, error) {
	begin := time.Now().UTC()
	for _, st := range states {
		begin = begin.Add(-st.Duration)
	}
	started := begin
	retcode := 0
	if len(states) == 0 {
		retcode = 2 // Salt takes an empty return for a failure
	}
	ret := object{}
	for i, st := range states {
		if st.Result == Failed || st.Result == RequisiteFailed {
			retcode = 2
		}
		ret = append(ret, member{st.tag(), st.entry(i, started)})
		started = started.Add(st.Duration)
	}
	return jobReturn(ret, retcode, begin).MarshalJSON()
}

type errorReturn []string

// MarshalJSON renders the return at the time of the call.
func (messages errorReturn) MarshalJSON() ([]byte, error) {
	return jobReturn(append([]string{}, messages...), 1, time.Now().UTC()).MarshalJSON()
}

// jobReturn returns the result of a job in Salt. A job id is the time of its begin.
func jobReturn(ret any, retcode int, begin time.Time) object {
	jid := strings.Replace(begin.Format("20060102150405.000000"), ".", "", 1)
	return object{{"ret", ret}, {"out", "highstate"}, {"retcode", retcode}, {"jid", jid}}
}

// tag is the key of the state in Salt's return.
func (st State) tag() string {
	module, call, _ := strings.Cut(cmp.Or(st.Function, "test.nop"), ".")
	return strings.Join([]string{module, st.ID, cmp.Or(st.Name, st.ID), call}, "_|-")
}

// entry is the state's part of Salt's return, its keys in Salt's order.
func (st State) entry(run int, started time.Time) object {
	changes := st.Changes
	if changes == nil {
		changes = map[string]any{}
	}
	startTime := started.Format("15:04:05.000000")
	if st.Result == RequisiteFailed {
		return object{
			{"changes", changes}, {"result", false}, {"duration", milliseconds(st.Duration)},
			{"start_time", startTime}, {"comment", st.Comment}, {"__run_num__", run}, {"__sls__", st.SLS},
		}
	}
	entry := object{
		{"name", cmp.Or(st.Name, st.ID)}, {"changes", changes}, {"result", results[st.Result]}, {"comment", st.Comment},
	}
	if len(st.Warnings) > 0 {
		entry = append(entry, member{"warnings", st.Warnings})
	}
	return append(entry,
		member{"__sls__", st.SLS}, member{"__run_num__", run}, member{"start_time", startTime},
		member{"duration", milliseconds(st.Duration)}, member{"__id__", st.ID})
}

// results are what Salt returns for outcomes.
var results = map[Outcome]any{Succeeded: true, WouldChange: nil, Failed: false, RequisiteFailed: false}

// milliseconds writes a duration as Python writes the float of it.
func milliseconds(d time.Duration) json.RawMessage {
	text := strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return json.RawMessage(text)
}

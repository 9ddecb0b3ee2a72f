// Package report folds the events of a run into a [Report]: the verdict, the exit
// status, and what the states of each minion did. It also defines the updates that a
// run sends while it goes on, and reads and writes a report as JSON. Package view
// writes all other formats.
package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// SchemaVersion is the version of the JSON format. It grows if a member changes its
// meaning or is removed. New members do not change it.
const SchemaVersion = 1

// Report is the result of a run.
type Report struct {
	SchemaVersion int       `json:"schemaVersion"`
	Verdict       Verdict   `json:"verdict"`
	ExitStatus    int       `json:"exitStatus"`
	Started       time.Time `json:"started"`
	Finished      time.Time `json:"finished"`
	Targets       []*Target `json:"targets"`

	// Spell spells the options that the help of an error names; default: as fields of
	// Go structs. It must be set before the first target ends.
	Spell fault.Speller `json:"-"`
	// Brief keeps only the states that people look at, [highstate.State.Telling], if they are
	// few. That takes less time and memory. It must be set before the first event.
	Brief bool `json:"-"`

	spool spool // results that are not in memory
}

// Request is what was asked for: one deployment on one server.
type Request struct {
	Name           string `json:"name,omitempty"` // tells targets of one run apart
	Server         string `json:"server"`
	Project        string `json:"project"`
	Deployment     string `json:"deployment"`
	Saltenv        string `json:"saltenv"` // PROJECT/DEPLOYMENT; [New] sets it
	Highstate      bool   `json:"highstate"`
	RequireMinions bool   `json:"requireMinions"`
	DryRun         bool   `json:"dryRun"` // nothing is sent
	// Expected are the ids of minions that must be reached. MinMinions is how many
	// minions must be reached, whatever their ids. If MissingMinions is Warn, too few are
	// a warning.
	Expected       []string `json:"expected,omitempty"`
	MinMinions     int      `json:"minMinions,omitempty"`
	MissingMinions Missing  `json:"missingMinions,omitempty"`
}

// Target is one deployment on one server: the request and its result.
type Target struct {
	Request
	// Top says which minions the bundle's top file names for the deployment. It is nil
	// if the top file is not known.
	Top        *Top      `json:"top,omitempty"`
	Rights     string    `json:"rights,omitempty"` // what the token allows, in words, if it can be read
	Bundle     Bundle    `json:"bundle"`
	Verdict    Verdict   `json:"verdict"`
	ExitStatus int       `json:"exitStatus"`
	Summary    string    `json:"summary"`         // the verdict in one line
	Error      string    `json:"error,omitempty"` // what failed, if it was not a minion
	Warnings   []string  `json:"warnings,omitempty"`
	Started    time.Time `json:"started"`
	Finished   time.Time `json:"finished"`
	Events     []Event   `json:"events"`
	Minions    []*Minion `json:"minions"` // in the order in which the server named them

	report *Report
	ended  error // the error that ended the run
	err    error // the error that the verdict shows
	byID   map[string]*Minion
	kept   kept
	silent map[string]bool // minions that did not answer the server
	missed []string        // expected minions that were not reached
	long   string          // Summary for a terminal
	plain  string          // Summary with options spelled as fields of Go structs
}

// Missing says how a run treats expected minions that are not reached.
type Missing string

// Treatments of missing minions.
const (
	Fail Missing = "fail" // the run fails; the default
	Warn Missing = "warn" // the run warns
)

// Top is what a bundle's top file says about a deployment.
type Top struct {
	File    string      `json:"file"`    // spirotop.sls or top.sls
	Targets []TopTarget `json:"targets"` // in the order of the file
	// Template means that Salt renders the file, so its targets are not known.
	Template bool `json:"template,omitempty"`
}

// TopTarget is a target of a top file: minions and the SLS that they get.
type TopTarget struct {
	Expression string   `json:"expression"`
	Match      string   `json:"match"` // how Salt reads the expression: compound, glob, list …
	SLS        []string `json:"sls"`
}

// concerns reports whether the top file names a minion, or may name one.
func (t *Top) concerns() bool { return t != nil && (t.Template || len(t.Targets) > 0) }

// Bundle is the deployed bundle.
type Bundle struct {
	Digest digest.Digest `json:"digest,omitempty"` // empty if the bundle was not read to its end
	// Origin says where the bundle came from if it was not made: the address in a registry.
	Origin string `json:"origin,omitempty"`
	// Commit is the content of .gitcommit in one line: the commit and its description.
	Commit  string `json:"commit,omitempty"`
	Size    int64  `json:"size"` // in bytes
	Entries int    `json:"entries"`
	// Contents lists the entries of a dry run.
	Contents []Content `json:"contents,omitempty"`
}

// Content is an entry of a bundle.
type Content struct {
	Name       string `json:"name"` // a directory's ends with a slash
	Size       int64  `json:"size"` // in bytes
	Executable bool   `json:"executable,omitempty"`
	Link       string `json:"link,omitempty"` // target of a symbolic link
}

// String returns the entry as a line of a listing: size, an x if it is executable,
// name, and the target of a link.
func (c Content) String() string {
	mark := " "
	if c.Executable {
		mark = "x"
	}
	text := fmt.Sprintf("%12d %s %s", c.Size, mark, sanitize.Line(c.Name))
	if c.Link != "" {
		text += " -> " + sanitize.Line(c.Link)
	}
	return text
}

// Event is an event of the server, without the result that is in Minions.
type Event struct {
	Name   string    `json:"event"`
	Time   time.Time `json:"time"` // when it arrived
	Msg    string    `json:"msg,omitempty"`
	Minion string    `json:"minion,omitempty"`
	Data   string    `json:"data,omitempty"` // of an event that the protocol does not know
}

// Minion is the result of one minion. Its States and Messages may be incomplete:
// [Minion.Details] returns all of them.
type Minion struct {
	ID string `json:"id"`
	highstate.Result
	Counts     highstate.Counts `json:"counts"`
	Reported   *time.Time       `json:"reported,omitempty"`   // when its result arrived
	Incomplete string           `json:"incomplete,omitempty"` // why States and Messages are lost, if they are

	details details
}

// failed reports whether the minion has failed for good. A later result does not
// change that. It does change a missing answer, which may only be late.
func (m *Minion) failed() bool {
	return m.Status == highstate.Failed || m.Status == highstate.NotCompiled
}

// OK reports whether the minion's highstate succeeded.
func (m *Minion) OK() bool { return m.Status == highstate.Succeeded }

// New begins the report of a run with a target for each request. Call Close after
// the last use.
func New(requests ...Request) *Report {
	r := &Report{SchemaVersion: SchemaVersion, Started: time.Now(), Targets: []*Target{}}
	for _, request := range requests {
		request.Saltenv = request.Project + "/" + request.Deployment
		t := r.newTarget()
		t.Request, t.Started = request, r.Started
	}
	return r
}

func (r *Report) newTarget() *Target {
	t := &Target{Events: []Event{}, Minions: []*Minion{}, report: r, byID: map[string]*Minion{}, silent: map[string]bool{}} // JSON shows [], not null
	r.Targets = append(r.Targets, t)
	return t
}

// Title returns the saltenv, after the name of the target if it has one.
func (t *Target) Title() string { return t.Qualify(t.Saltenv) }

// Qualify puts the name of the target before a name that other targets may use, such as
// that of a minion.
func (t *Target) Qualify(name string) string {
	if t.Name == "" {
		return name
	}
	return t.Name + ": " + name
}

// Add folds an event in. It returns the minion if the event is the result of one. It fails
// with a [client.StreamError] if the server names too many minions: the caller should
// then stop reading. The event's Result must not change before Finish.
func (t *Target) Add(e client.Event) (*Minion, error) {
	folded := Event{Name: e.Name, Time: e.Time, Msg: e.Msg, Minion: e.Minion}
	var reported *Minion
	fresh := false // the first result of a minion
	switch e.Name {
	case client.DeployBundle, client.HighstateCalc, client.HighstateFinish, client.Exception:
	case client.HighstateStart:
		for _, id := range e.Missing {
			if len(t.silent) < client.MaxMinions {
				t.silent[id] = true
			}
		}
		for _, id := range e.Minions {
			if t.minion(id) == nil {
				return nil, &client.StreamError{Err: client.ErrMinions, Malformed: true}
			}
		}
	case client.HighstateUpdate:
		if reported = t.minion(e.Minion); reported == nil {
			return nil, &client.StreamError{Err: client.ErrMinions, Malformed: true}
		}
		fresh = reported.Reported == nil
		reported.take(&t.report.spool, t.report.Brief, e)
	default:
		folded.Data = e.Data
	}
	t.keep(folded, fresh)
	return reported, nil
}

// minion returns the minion with an id, and creates it if there is none. It returns nil
// if there are too many.
func (t *Target) minion(id string) *Minion {
	if m, ok := t.byID[id]; ok {
		return m
	}
	if len(t.Minions) == client.MaxMinions {
		return nil
	}
	return t.newMinion(id)
}

func (t *Target) newMinion(id string) *Minion {
	m := &Minion{ID: id, Result: highstate.Result{Status: highstate.Unreported}}
	t.Minions = append(t.Minions, m)
	t.byID[id] = m
	return m
}

// Warn adds a warning.
func (t *Target) Warn(text string) { t.Warnings = append(t.Warnings, text) }

// saw reports whether an event of the protocol has come.
func (t *Target) saw(name string) bool { return t.kept.known[name] }

// Finish ends the target and sets its verdict. The error is the one that ended the
// run, or nil.
func (t *Target) Finish(err error) {
	t.Finished = time.Now()
	t.warnOfDropped()
	t.report.spool.settle()
	t.warnOfIncomplete()
	t.ended = err
	t.settle()
}

// settle sets the verdict.
func (t *Target) settle() {
	t.Verdict, t.err = t.judge(t.ended)
	t.ExitStatus = t.Verdict.ExitStatus()
	t.Error = ""
	if t.err != nil {
		t.Error = fault.Line(t.err, t.report.Spell)
	}
	t.Summary = t.summary(fault.Line, t.report.Spell, "; ")
	t.long = t.summary(fault.Lines, t.report.Spell, "\n  ")
	t.plain = t.summary(func(err error, _ fault.Speller) string { return err.Error() }, nil, "; ")
}

// Finish ends the report after all targets have ended. Its verdict is the worst of
// theirs.
func (r *Report) Finish() {
	r.Finished = time.Now()
	r.Verdict = Success
	r.Settle()
	for _, t := range r.Targets {
		if slices.Index(ranking, t.Verdict) < slices.Index(ranking, r.Verdict) {
			r.Verdict = t.Verdict
		}
	}
	r.ExitStatus = r.Verdict.ExitStatus()
}

// Err returns nil if everything that was asked for happened, and an [*Error] otherwise. Its
// text has a line for each target that failed; targets that failed in the same way share a
// line.
func (r *Report) Err() error {
	if r.Verdict == Success {
		return nil
	}
	e := &Error{Verdict: r.Verdict}
	var lines []string
	names := map[string][]string{} // by what happened
	for _, t := range r.Targets {
		if t.Verdict == Success {
			continue
		}
		if t.err != nil {
			e.causes = append(e.causes, t.err)
		}
		what := cmp.Or(t.plain, t.Summary)
		if names[what] == nil {
			lines = append(lines, what)
		}
		names[what] = append(names[what], sanitize.Line(t.Name))
	}
	if len(r.Targets) > 1 {
		for i, what := range lines {
			lines[i] = strings.Join(names[what], ", ") + ": " + what
		}
	}
	e.text = strings.Join(lines, "\n")
	return e
}

// Error is the error of a run with a verdict other than Success. [errors.As] finds its
// cause, such as a [client.StatusError].
type Error struct {
	Verdict Verdict
	text    string
	causes  []error
}

func (e *Error) Error() string { return e.text }

func (e *Error) Unwrap() []error { return e.causes }

// ExitStatus returns the exit status of the verdict. Mage uses it.
func (e *Error) ExitStatus() int { return e.Verdict.ExitStatus() }

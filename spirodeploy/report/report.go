// Package report folds the events of a run into what it came to: a verdict, an
// exit status, and for every minion what its states did. It has views of that
// for people and for programs.
package report

import (
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/spirodeploy/bundle"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// SchemaVersion is that of the JSON form. It grows when a member changes its
// meaning or goes away; new members may come without that.
const SchemaVersion = 1

// Report is what a run came to.
type Report struct {
	SchemaVersion int       `json:"schemaVersion"`
	Verdict       Verdict   `json:"verdict"`
	ExitStatus    int       `json:"exitStatus"`
	Started       time.Time `json:"started"`
	Finished      time.Time `json:"finished"`
	Targets       []*Target `json:"targets"`
}

// Target is one deployment on one server.
type Target struct {
	Name           string `json:"name,omitempty"` // which tells it from others
	Server         string `json:"server"`
	Project        string `json:"project"`
	Deployment     string `json:"deployment"`
	Saltenv        string `json:"saltenv"` // PROJECT/DEPLOYMENT
	Highstate      bool   `json:"highstate"`
	RequireMinions bool   `json:"requireMinions"`
	DryRun         bool   `json:"dryRun"` // nothing was to be sent
	// Expected are ids of minions that had to be reached, and MinMinions is how many of
	// whatever ids had to be. With MissingMinions Warn, a lack of them is a warning.
	Expected       []string `json:"expected,omitempty"`
	MinMinions     int      `json:"minMinions,omitempty"`
	MissingMinions Missing  `json:"missingMinions,omitempty"`
	// Top says whom the bundle's top file names for the deployment; nil if it has none
	// that is known.
	Top        *Top      `json:"top,omitempty"`
	Rights     string    `json:"rights,omitempty"` // what the token allows, in words, where it can be read
	Bundle     Bundle    `json:"bundle"`
	Verdict    Verdict   `json:"verdict"`
	ExitStatus int       `json:"exitStatus"`
	Summary    string    `json:"summary"`         // the verdict in a line
	Error      string    `json:"error,omitempty"` // what went wrong, if it was not the minions
	Warnings   []string  `json:"warnings,omitempty"`
	Started    time.Time `json:"started"`
	Finished   time.Time `json:"finished"`
	Events     []Event   `json:"events"`
	Minions    []*Minion `json:"minions"` // in the order in which the server named them

	ended     error // what the run ended with
	err       error // what is told of that
	byID      map[string]*Minion
	kept      kept
	silent    map[string]bool // minions that the server says did not answer it
	missed    map[string]bool // minions that were expected and not reached
	missedIDs []string        // those of them that are only worth a warning
	spool     *spool          // of results that are not in memory, which all targets share
}

// Missing says what it means that minions that were expected are not reached.
type Missing string

// What a lack of minions means.
const (
	Fail Missing = "fail" // a failure, and the default
	Warn Missing = "warn" // a warning
)

// Top is what a bundle's top file says of a deployment.
type Top struct {
	File    string      `json:"file"`    // spirotop.sls or top.sls
	Targets []TopTarget `json:"targets"` // in the order of the file
	// Template means that Salt renders the file, so that its targets are not known.
	Template bool `json:"template,omitempty"`
}

// TopTarget is a target of a top file: who gets which SLS.
type TopTarget struct {
	Expression string   `json:"expression"`
	Match      string   `json:"match"` // how the expression is read: compound, glob, list …
	SLS        []string `json:"sls"`
}

// concerns reports whether the top file names anybody, as far as that is known.
func (t *Top) concerns() bool { return t != nil && (t.Template || len(t.Targets) > 0) }

// Bundle is what was deployed.
type Bundle struct {
	Digest digest.Digest `json:"digest,omitempty"` // empty where it was not read to its end
	// Commit is the commit that it was made from, and how git describes that: what
	// .gitcommit holds, in one line.
	Commit  string `json:"commit,omitempty"`
	Size    int64  `json:"size"` // in bytes
	Entries int    `json:"entries"`
	// Contents lists the entries, for a dry run.
	Contents []Content `json:"contents,omitempty"`
}

// Content is an entry of a bundle.
type Content struct {
	Name       string `json:"name"` // a directory's ends with a slash
	Size       int64  `json:"size"` // in bytes
	Executable bool   `json:"executable,omitempty"`
	Link       string `json:"link,omitempty"` // target of a symbolic link
}

// NewContent describes an entry of a bundle.
func NewContent(it bundle.Item) Content {
	return Content{Name: it.Name, Size: it.Size, Link: it.Link, Executable: it.Mode.IsRegular() && it.Mode&0o100 != 0}
}

// Event is one of the server's events, without what Minions has of it.
type Event struct {
	Name   string    `json:"event"`
	Time   time.Time `json:"time"` // when it arrived
	Msg    string    `json:"msg,omitempty"`
	Minion string    `json:"minion,omitempty"`
	Data   string    `json:"data,omitempty"` // of events that the protocol does not know
}

// Minion is what became of one minion. Of its Result, States and Messages may be
// only a part, or none: [Minion.Details] has them all.
type Minion struct {
	ID string `json:"id"`
	highstate.Result
	Counts     highstate.Counts `json:"counts"`
	Reported   *time.Time       `json:"reported,omitempty"`   // when its result arrived
	Incomplete string           `json:"incomplete,omitempty"` // why there are no States and Messages, or not all

	details details
}

// failed reports whether the minion has failed, for good: a later result, if
// there should be one, cannot take that back. No answer can be late.
func (m *Minion) failed() bool {
	return m.Status == highstate.Failed || m.Status == highstate.NotCompiled
}

// OK reports whether the minion's highstate succeeded.
func (m *Minion) OK() bool { return m.Status == highstate.Succeeded }

// New begins the report of a run with its targets. Whoever is done with the
// report should call Close.
func New(targets ...Target) *Report {
	r := &Report{SchemaVersion: SchemaVersion, Started: time.Now()}
	results := new(spool)
	for _, t := range targets {
		t.Started = r.Started
		t.Saltenv = t.Project + "/" + t.Deployment
		t.Events, t.Minions = []Event{}, []*Minion{} // JSON shows them as [], not as null
		t.spool = results
		r.Targets = append(r.Targets, &t)
	}
	return r
}

// title names the target: its saltenv, after its name if it has one.
func (t *Target) title() string { return t.whole(t.Saltenv) }

// whole returns the name of something of the target, such as a minion, after the
// target's own: others may have one that is called the same.
func (t *Target) whole(name string) string {
	if t.Name == "" {
		return name
	}
	return t.Name + ": " + name
}

// Add folds an event in. It returns the minion that the event is the result of,
// if it is one. The error, a [client.StreamError], means that there is no point
// in reading on: what the server says cannot be. A result is not copied: nobody
// may write to it before Finish.
func (t *Target) Add(e client.Event) (*Minion, error) {
	folded := Event{Name: e.Name, Time: e.Time, Msg: e.Msg, Minion: e.Minion}
	var reported *Minion
	fresh := false // the first result of a minion
	switch e.Name {
	case client.DeployBundle, client.HighstateCalc, client.HighstateFinish, client.Exception:
	case client.HighstateStart:
		t.hear(e.Missing)
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
		reported.take(t.spool, e)
	default:
		folded.Data = e.Data
	}
	t.keep(folded, fresh)
	return reported, nil
}

// minion returns the minion of that id, which is a new one if need be; nil if
// that were one too many.
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
	if t.byID == nil {
		t.byID = map[string]*Minion{}
	}
	t.byID[id] = m
	return m
}

// Warn adds a warning.
func (t *Target) Warn(text string) { t.Warnings = append(t.Warnings, text) }

// saw reports whether an event of that name, one of the protocol's, has come.
func (t *Target) saw(name string) bool { return t.kept.known[name] }

// Finish ends the target with the error of the run, which may be nil, and
// settles the verdict.
func (t *Target) Finish(err error) {
	t.Finished = time.Now()
	t.warnOfDropped()
	t.spool.settle()
	t.warnOfIncomplete()
	t.ended = err
	t.settle()
}

// settle settles the verdict.
func (t *Target) settle() {
	t.Verdict, t.err = t.judge(t.ended)
	t.ExitStatus = t.Verdict.ExitStatus()
	t.Error = ""
	if t.err != nil {
		t.Error = t.err.Error()
	}
	t.Summary = t.summary()
}

// Finish ends the report when all targets have ended: the worst verdict is its own.
func (r *Report) Finish() {
	r.Finished = time.Now()
	r.Verdict = Success
	r.Settle()
	for _, t := range r.Targets {
		r.Verdict = worse(r.Verdict, t.Verdict)
	}
	r.ExitStatus = r.Verdict.ExitStatus()
}

// Err returns nil where everything that was asked for happened, and else an
// [*Error].
func (r *Report) Err() error {
	if r.Verdict == Success {
		return nil
	}
	e := &Error{Verdict: r.Verdict, text: strings.Join(r.failures(), "\n")}
	for _, t := range r.Targets {
		if t.Verdict != Success && t.err != nil {
			e.causes = append(e.causes, t.err)
		}
	}
	return e
}

// Error is a verdict other than success, as an error. [errors.As] finds the
// cause in it, such as a [client.StatusError].
type Error struct {
	Verdict Verdict
	text    string
	causes  []error
}

func (e *Error) Error() string { return e.text }

func (e *Error) Unwrap() []error { return e.causes }

// ExitStatus returns the exit status for the verdict; mage uses it.
func (e *Error) ExitStatus() int { return e.Verdict.ExitStatus() }

func plural(n int, noun string) string { return human.Count(n, noun, noun+"s") }

package report

import (
	"cmp"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/fault"
)

// Stage is a part of a run.
type Stage string

// The stages, in their order.
const (
	Bundling  Stage = "bundle"    // reads the tree or the bundle
	Checking  Stage = "check"     // asks the server whether the token is valid
	Uploading Stage = "upload"    // sends the bundle
	Deploying Stage = "deploy"    // the server unpacks the bundle
	Highstate Stage = "highstate" // minions apply their states
)

// Update is one thing that happened in a run.
type Update struct {
	Time  time.Time
	Stage Stage // in which it happened
	// Target is the name of the target if there are several, and "" for all of them.
	Target string
	Kind   Kind
	// Text is one line for people. Began, Ended and Warned have it. If a stage failed, it
	// is the text of Err.
	Text string
	// Minor means that a quiet program leaves the warning out. Warned has it.
	Minor bool
	// Err is why a stage failed. Ended has it.
	Err error
	// Sent and Total are the bytes of the request, or of a file. Progressed has them.
	Sent, Total int64
	// Silence is how long the server may be silent; 0 is no limit. Waited has it.
	Silence time.Duration
	// Event is what the server sent. Happened has it.
	Event client.Event
	// Minion is the minion whose result the event is, or nil. Happened and Missed have
	// it.
	Minion *Minion
	// Report is the report of the run. Finished has it.
	Report *Report
}

// Kind is the kind of an Update.
type Kind string

// The kinds of updates.
const (
	Began      Kind = "began"      // a stage began
	Progressed Kind = "progressed" // more bytes were sent or written
	Waited     Kind = "waited"     // the stage goes on; this comes every few seconds
	Warned     Kind = "warned"     // there is a warning
	Happened   Kind = "happened"   // an event of the server arrived
	Missed     Kind = "missed"     // Minion was expected and not reached; this comes at the end
	Ended      Kind = "ended"      // a stage ended
	Finished   Kind = "finished"   // the run ended; this is the last update
)

// A Watcher receives the updates of a run, one at a time and in order. The run waits for
// it. Everything that shows a run while it goes on is one.
type Watcher func(Update)

// Failure returns why a stage failed, as the front end spells it, or "".
func (u Update) Failure() string {
	if u.Err == nil {
		return ""
	}
	return cmp.Or(u.Text, fault.Line(u.Err, nil))
}

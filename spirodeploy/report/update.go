package report

import (
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// Stage is a part of a run.
type Stage string

// The stages, in their order.
const (
	Bundling  Stage = "bundle"    // walking the tree, or reading a given bundle
	Checking  Stage = "check"     // asking whether the server takes the token
	Uploading Stage = "upload"    // sending the bundle
	Deploying Stage = "deploy"    // the server unpacks it
	Highstate Stage = "highstate" // minions apply it
)

// Update is something that has just happened in a run.
type Update struct {
	Time  time.Time
	Stage Stage // in which it happened
	// Target is the name of the target that it is about, where there are several;
	// empty for what is about all of them.
	Target string
	Kind   Kind
	// Text tells it to a person, in one line, for Began, Ended and Warned.
	Text string
	// Err is why a stage Ended, if it failed.
	Err error
	// Sent and Total are bytes of the request, or of the file that is written,
	// for Progressed.
	Sent, Total int64
	// Silence is how long the server may say nothing, for Waited; 0 if there is no limit.
	Silence time.Duration
	// Event is what the server sent, for Happened.
	Event client.Event
	// Minion is the one whose result the event is, or that was Missed; nil for other
	// events.
	Minion *Minion
}

// Kind says what an Update is about.
type Kind string

// The kinds of updates.
const (
	Began      Kind = "began"      // a stage began
	Progressed Kind = "progressed" // the upload, or writing the bundle, got further
	Waited     Kind = "waited"     // the stage goes on; this comes every few seconds
	Warned     Kind = "warned"     // something should be known
	Happened   Kind = "happened"   // an event of the server arrived
	Missed     Kind = "missed"     // Minion was expected and not reached, which shows at the end
	Ended      Kind = "ended"      // a stage ended
)

// Watcher is told what happens, one update at a time, in order. It holds up the
// run while it works. A nil Watcher is told nothing.
type Watcher func(Update)

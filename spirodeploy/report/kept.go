package report

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// Limits of what is kept of the events, so that a server that never stops, or
// sends no sense, cannot fill this machine's memory.
const (
	maxRepeated  = 10_000   // events that are unknown, or of a name that had come before
	maxEventText = 16 << 20 // of all events together, in bytes
	maxText      = 64 << 10 // of one event, in bytes
	maxName      = 255      // of an event's name, in bytes
)

// kept remembers of the events what a verdict hangs on, whether or not they are
// in the report.
type kept struct {
	known     map[string]bool // names of the protocol that have come
	exception string          // what the last one said
	repeated  int             // how many of maxRepeated there are
	text      int             // how much of maxEventText there is
	dropped   int             // how many events are not in the report
}

// keep puts an event into the report, if there is room for it. The loss of one
// that is the first of a minion does not count: Minions has what it said.
func (t *Target) keep(e Event, ofMinion bool) {
	k := &t.kept
	fresh := false
	if client.IsKnown(e.Name) {
		if k.known == nil {
			k.known = map[string]bool{}
		}
		fresh = !k.known[e.Name]
		k.known[e.Name] = true
	}
	if e.Name == client.Exception {
		k.exception = sanitize.BothEnds(strings.TrimRight(e.Msg, "\n\t "), maxText)
	}
	e.Name, e.Msg, e.Data = sanitize.Clip(e.Name, maxName), sanitize.BothEnds(e.Msg, maxText), sanitize.Clip(e.Data, maxText)
	size := len(e.Name) + len(e.Msg) + len(e.Minion) + len(e.Data)
	if !fresh && k.repeated == maxRepeated || k.text+size > maxEventText {
		if !ofMinion {
			k.dropped++
		}
		return
	}
	if !fresh {
		k.repeated++
	}
	k.text += size
	t.Events = append(t.Events, e)
}

// warnOfDropped says what the report does not have.
func (t *Target) warnOfDropped() {
	if n := t.kept.dropped; n > 0 {
		t.Warn(fmt.Sprintf("the server sent more events than the report keeps: %s of them are left out", human.Thousands(n)))
	}
}

package report

import (
	"fmt"
	"strings"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// Limits of the events in a report, so that no server can fill the memory.
const (
	maxRepeated  = 10_000   // events with an unknown or repeated name
	maxEventText = 16 << 20 // of all events, in bytes
	maxText      = 64 << 10 // of an event, in bytes
	maxName      = 255      // of the name of an event, in bytes
)

// kept is what a verdict needs of the events, whether or not they are in the report.
type kept struct {
	known     map[string]bool // events of the protocol that arrived
	exception string          // the message of the last exception
	repeated  int             // of maxRepeated
	text      int             // of maxEventText
	dropped   int             // events that are not in the report
}

// keep adds an event to the report if there is room. The first event of a minion does not
// count as dropped, since Minions has its result.
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

// warnOfDropped warns about events that the report does not have.
func (t *Target) warnOfDropped() {
	if n := t.kept.dropped; n > 0 {
		t.Warn(fmt.Sprintf("the server sent more events than the report keeps: %s of them are left out", human.Thousands(n)))
	}
}

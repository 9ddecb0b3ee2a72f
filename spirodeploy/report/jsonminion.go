package report

import (
	"encoding/json"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// maxIndented is the size in bytes of the largest result that is indented, which
// can make a deeply nested one many times larger.
const maxIndented = 1 << 20

// The members of a Minion before its states and messages, and after them.
type (
	minionHead struct {
		ID     string           `json:"id"`
		Status highstate.Status `json:"status"`
	}
	minionTail struct {
		Retcode    int              `json:"retcode"`
		JID        string           `json:"jid,omitempty"`
		Counts     highstate.Counts `json:"counts"`
		Reported   *time.Time       `json:"reported,omitempty"`
		Incomplete string           `json:"incomplete,omitempty"`
	}
)

// minion writes a minion as package json would. That would hold all of its JSON
// in memory, several times; here it is written as it comes.
func (w *jsonWriter) minion(m *Minion) error {
	r, err := m.read(&w.buf)
	tail := minionTail{r.Retcode, r.JID, m.Counts, m.Reported, ""}
	if err != nil {
		tail.Incomplete = err.Error()
	}
	compact := w.compact
	w.compact = compact || m.details.size > maxIndented
	w.open('{')
	if err := w.members(minionHead{m.ID, r.Status}); err != nil {
		return err
	}
	if len(r.States) > 0 {
		w.name("states")
		w.open('[')
		for i := range r.States {
			w.next()
			w.state(&r.States[i])
		}
		w.close(']')
	}
	w.texts("messages", r.Messages)
	if err := w.members(tail); err != nil {
		return err
	}
	w.close('}')
	w.compact = compact
	return nil
}

// members writes the members of a small value as members of this one.
func (w *jsonWriter) members(v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	w.inside(string(b))
	return nil
}

func (w *jsonWriter) state(s *highstate.State) {
	w.open('{')
	w.text("id", s.ID)
	w.text("function", s.Function)
	w.text("name", s.Name)
	w.textIfAny("sls", s.SLS)
	w.text("outcome", string(s.Outcome))
	w.textIfAny("comment", s.Comment)
	if len(s.Changes) > 0 {
		w.name("changes")
		w.value(s.Changes)
	}
	w.texts("warnings", s.Warnings)
	w.textIfAny("start", s.Start)
	w.name("durationMs")
	number, _ := json.Marshal(s.Duration) // a number cannot fail
	w.value(number)
	w.close('}')
}

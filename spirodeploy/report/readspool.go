package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// respool puts a minion's result into the spool in the form in which Salt
// returns it, unless that does not say all that the report does.
func (m *Minion) respool(s *spool) bool {
	compact := m.details.size > maxIndented
	raw, err := saltForm(m.Result)
	if compact && len(raw) <= maxIndented {
		// It was larger, as the server sent it, and is to be written as it was.
		raw = append(raw, bytes.Repeat([]byte(" "), maxIndented+1-len(raw))...)
	}
	if err != nil || m.Incomplete != "" || len(raw) > maxIndented != compact || !reflect.DeepEqual(highstate.Parse(raw), m.Result) {
		return false
	}
	counts := m.Counts
	m.details.size = len(raw)
	m.shorten(raw, maxPlaces-s.places)
	m.Counts = counts
	s.places += len(m.details.places)
	s.put(m, raw)
	s.settle() // raw is written before the next result is made
	return true
}

// results are those of Salt's states.
var results = map[highstate.Outcome]any{highstate.OK: true, highstate.Changed: true, highstate.Bad: false}

// saltState is a state as Salt returns it, less what its tag and its place say.
type saltState struct {
	ID       string          `json:"__id__,omitempty"`
	SLS      string          `json:"__sls__,omitempty"`
	Result   any             `json:"result"`
	Comment  string          `json:"comment,omitempty"`
	Changes  json.RawMessage `json:"changes,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	Start    string          `json:"start_time,omitempty"`
	Duration float64         `json:"duration"`
}

// saltForm returns a result as Salt does.
func saltForm(r highstate.Result) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	var errs []error
	value := func(v any) { errs = append(errs, enc.Encode(v)) }
	b.WriteString(`{"retcode":`)
	value(r.Retcode)
	b.WriteString(`,"jid":`)
	value(r.JID)
	b.WriteString(`,"ret":`)
	if len(r.States) == 0 {
		value(r.Messages)
	} else {
		separator := byte('{')
		for i := range r.States {
			s := &r.States[i]
			module, function, _ := strings.Cut(s.Function, ".")
			b.WriteByte(separator)
			value(strings.Join([]string{module, s.ID, s.Name, function}, "_|-"))
			b.WriteByte(':')
			id := ""
			if strings.Contains(s.ID, "_|-") {
				id = s.ID // which its tag does not say
			}
			value(saltState{
				id, s.SLS, results[s.Outcome], s.Comment, s.Changes, s.Warnings, s.Start,
				(float64(s.Duration) + 0.5) / float64(time.Millisecond), // which is cut off to what it was
			})
			separator = ','
		}
		b.WriteByte('}')
	}
	b.WriteByte('}')
	return b.Bytes(), errors.Join(errs...)
}

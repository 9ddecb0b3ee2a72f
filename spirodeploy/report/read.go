package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Read reads a report from its JSON form. Views of it are those of the report
// that was written. As in a report of a run, large results are in a temporary
// file: whoever is done with the report should call Close.
func Read(r io.Reader) (*Report, error) {
	rep := &Report{Targets: []*Target{}}
	dec := json.NewDecoder(r)
	if err := rep.decode(dec); err != nil {
		_ = rep.Close() // which has nothing to say that err does not
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read report: %w", err)
	}
	return rep, nil
}

func (r *Report) decode(dec *json.Decoder) error {
	results := new(spool) // which all targets share
	err := object(dec, r, func(name string) (bool, error) {
		switch name {
		case "schemaVersion":
			return true, r.decodeVersion(dec)
		case "targets":
			return true, list(dec, func() error {
				t := &Target{spool: results}
				r.Targets = append(r.Targets, t)
				return t.decode(dec)
			})
		}
		return false, nil
	})
	if err == nil && r.SchemaVersion == 0 {
		return errors.New("this is no report: it has no schemaVersion")
	}
	return err
}

// decodeVersion fails before anything is read that may have another meaning.
func (r *Report) decodeVersion(dec *json.Decoder) error {
	if err := dec.Decode(&r.SchemaVersion); err != nil {
		return err
	}
	if r.SchemaVersion > SchemaVersion {
		return fmt.Errorf("it has schemaVersion %d, and this program knows %d: read it with a newer spirodeploy", r.SchemaVersion, SchemaVersion)
	}
	return nil
}

func (t *Target) decode(dec *json.Decoder) error {
	t.Events, t.Minions = []Event{}, []*Minion{}
	err := object(dec, t, func(name string) (bool, error) {
		if name != "minions" {
			return false, nil
		}
		return true, list(dec, func() error {
			m, err := readMinion(dec, t.spool)
			t.Minions = append(t.Minions, m)
			return err
		})
	})
	t.spool.settle()
	if t.Error != "" {
		t.err = errors.New(t.Error)
	}
	return err
}

// object reads an object into a struct: its members all at once, but for those
// that each reads itself.
func object(dec *json.Decoder, into any, each func(name string) (bool, error)) error {
	if err := delimiter(dec, '{'); err != nil {
		return err
	}
	rest := map[string]json.RawMessage{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string) // the decoder sees to it
		done, err := each(name)
		if err != nil {
			return err
		}
		if done {
			continue
		}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		rest[name] = raw
	}
	if err := delimiter(dec, '}'); err != nil {
		return err
	}
	all, err := json.Marshal(rest)
	if err != nil {
		return err
	}
	return json.Unmarshal(all, into)
}

// list reads a list, element by element.
func list(dec *json.Decoder, each func() error) error {
	if err := delimiter(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		if err := each(); err != nil {
			return err
		}
	}
	return delimiter(dec, ']')
}

func delimiter(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err == nil && token != want {
		err = fmt.Errorf("this is no report: it has %v at byte %d where %v should be", token, dec.InputOffset(), want)
	}
	return err
}

// The JSON forms of what has durations, which package highstate cuts off, not
// rounds: to write them again must not change them.
type (
	readDuration highstate.Milliseconds
	readCounts   struct {
		highstate.Counts
		Duration readDuration `json:"durationMs"`
	}
	readState struct {
		highstate.State
		Duration readDuration `json:"durationMs"`
	}
	minionJSON struct {
		Minion
		States []readState `json:"states"`
		Counts readCounts  `json:"counts"`
	}
)

func (d *readDuration) UnmarshalJSON(b []byte) error {
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*d = readDuration(math.Round(f * float64(time.Millisecond)))
	return nil
}

// readMinion reads a minion. Where there is no room in memory for its result,
// that goes to the spool.
func readMinion(dec *json.Decoder, s *spool) (*Minion, error) {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return nil, err
	}
	var read minionJSON
	if err := json.Unmarshal(raw, &read); err != nil {
		return nil, err
	}
	m := &read.Minion
	for i := range read.States {
		state := read.States[i].State
		switch state.Outcome {
		case highstate.OK, highstate.Changed, highstate.Pending, highstate.Bad:
		default:
			return nil, fmt.Errorf("minion %s: state %s: it has no outcome that this program knows", sanitize.Line(m.ID), sanitize.Line(state.ID))
		}
		state.Duration, state.Changes = highstate.Milliseconds(read.States[i].Duration), compact(state.Changes)
		m.States = append(m.States, state)
		m.details.telling = m.details.telling || state.Telling()
	}
	m.Counts = read.Counts.Counts
	m.Counts.Duration = highstate.Milliseconds(read.Counts.Duration)
	m.details.telling = m.details.telling || len(m.Messages) > 0
	if !strings.Contains(rawjson.View(raw), "\n") {
		m.details.size = maxIndented + 1 // it was written without line ends
	}
	m.details.cost = cost(raw, m.Result)
	if m.details.cost <= maxKept-s.kept || !m.respool(s) {
		s.kept += m.details.cost
	}
	return m, nil
}

// compact returns JSON without what indents it. It is valid.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if len(raw) == 0 || json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

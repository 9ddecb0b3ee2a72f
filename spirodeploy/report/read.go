package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Read reads a report from JSON. Its views are the same as those of the report that was
// written. As after a run, large results are in a temporary file: call Close after the
// last use.
func Read(r io.Reader) (*Report, error) {
	rep := &Report{Targets: []*Target{}}
	in := bufio.NewReader(r)
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark { // an error comes again
		_, _ = in.Discard(len(mark)) // it is buffered
	}
	dec := json.NewDecoder(in)
	err := rep.decode(dec)
	if err == nil {
		err = atEnd(dec)
	}
	if err != nil {
		_ = rep.Close() // err is the reason
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read report: %w", err)
	}
	return rep, nil
}

// byteOrderMark is what programs on Windows may put in front when they copy a report.
const byteOrderMark = "\ufeff"

// atEnd returns an error if anything follows, such as a second report, which would be
// ignored without a word.
func atEnd(dec *json.Decoder) error {
	if _, err := dec.Token(); errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("there is more after the report, at byte %d: an NDJSON one, and several in a row, cannot be read", dec.InputOffset())
}

func (r *Report) decode(dec *json.Decoder) error {
	type plain Report // whose members object reads
	err := object(dec, (*plain)(r), func(name string) (bool, error) {
		switch name {
		case "schemaVersion":
			return true, r.decodeVersion(dec)
		case "targets":
			return true, list(dec, func() error { return r.newTarget().decode(dec) })
		}
		return false, nil
	})
	if err == nil && r.SchemaVersion == 0 {
		return errors.New("this is no report: it has no schemaVersion")
	}
	return err
}

// decodeVersion fails before it reads a member that may have another meaning.
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
	err := object(dec, t, func(name string) (bool, error) {
		if name != "minions" {
			return false, nil
		}
		return true, list(dec, func() error {
			m, err := t.report.spool.decode(dec)
			t.Minions = append(t.Minions, m)
			return err
		})
	})
	if t.Error != "" {
		t.err = errors.New(t.Error)
	}
	return err
}

// object reads an object into a struct, except for the members that each reads.
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
		name, _ := token.(string) // which it always is
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
		if !looksRead(name) {
			rest[name] = raw
		}
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

// looksRead reports whether a name differs only in case from one that is read in its own way.
// Package json would take the member for that one.
func looksRead(name string) bool {
	return slices.ContainsFunc([]string{"schemaVersion", "targets", "minions"}, func(read string) bool { return name != read && strings.EqualFold(name, read) })
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
		if token == nil {
			token = "null"
		}
		err = fmt.Errorf("this is no report: it has %v at byte %d where %v should be", token, dec.InputOffset(), want)
	}
	return err
}

// decode reads a minion. Its result goes into the file if there is no room in memory.
func (s *spool) decode(dec *json.Decoder) (*Minion, error) {
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return nil, err
	}
	m, err := parseMinion(raw)
	if err == nil && m.ID == "" {
		err = errors.New("this is no report: a minion has no id")
	}
	if err != nil {
		return nil, err
	}
	d := &m.details
	d.compact, d.ours = !bytes.HasPrefix(raw, []byte("{\n")), true
	d.size, d.cost = len(raw), wholeCost(highstate.Brief{Result: m.Result}, len(raw))
	m.store(s, raw, m.Brief())
	s.settle() // before the next minion takes as much memory
	return m, nil
}

// parseMinion reads a minion from its JSON.
func parseMinion(raw []byte) (*Minion, error) {
	m := new(Minion)
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, err
	}
	for i := range m.States {
		s := &m.States[i]
		switch s.Outcome {
		case highstate.OK, highstate.Changed, highstate.Pending, highstate.Bad:
		default:
			return nil, fmt.Errorf("minion %s: state %s: this program does not know its outcome", sanitize.Line(m.ID), sanitize.Line(s.ID))
		}
		if len(s.Changes) > 0 {
			s.Changes = json.RawMessage(rawjson.Compact(rawjson.View(s.Changes)))
		}
	}
	m.details.telling = tells(m.Result)
	return m, nil
}

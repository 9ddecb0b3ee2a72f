package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/tmaxmax/go-sse"
)

// Names of the events that SpiroFS 0.3 sends. Later servers may send others,
// which are passed through.
const (
	DeployBundle    = "deploy-bundle"    // the bundle is being unpacked
	HighstateCalc   = "highstate-calc"   // looking for the minions concerned
	HighstateStart  = "highstate-start"  // has Minions; highstates begin
	HighstateUpdate = "highstate-update" // has Minion and Result; a minion is done
	HighstateFinish = "highstate-finish" // all are done
	Exception       = "exception"        // the server failed; the stream ends
)

// Event is what the server tells.
type Event struct {
	Name    string          `json:"event"`
	Time    time.Time       `json:"time"` // when it arrived
	Msg     string          `json:"msg,omitempty"`
	Minions []string        `json:"minions,omitempty"`
	Minion  string          `json:"minion,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"` // what Salt returned for Minion
	Data    string          `json:"-"`                // all of the event's data, as it came but for tokens
}

// Stream is the answer to an Upload.
type Stream struct {
	ctx    context.Context // that of the request, whose answer this is
	client *Client
	resp   *http.Response
	cancel context.CancelCauseFunc // ends ctx
}

// Close ends the stream. The deployment goes on at the server.
func (s *Stream) Close() error {
	err := s.resp.Body.Close()
	s.cancel(nil)
	return err
}

// Events yields the events as they come, until the server ends the stream; it
// can be ranged over once. Whether the end is a good one is for the reader of
// the events to say: a deployment without highstate ends after DeployBundle.
// An error, a [StreamError], is the last that is yielded.
func (s *Stream) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		config := &sse.ReadConfig{MaxEventSize: s.client.maxEvent}
		for raw, err := range sse.Read(s.resp.Body, config) {
			if err != nil {
				yield(Event{}, &StreamError{s.failure(err)})
				return
			}
			event, err := parseEvent(s.client.token.Redact(raw.Type), s.client.token.Redact(raw.Data))
			if err != nil {
				yield(Event{}, &StreamError{err})
				return
			}
			if !yield(event, nil) {
				return
			}
		}
	}
}

func (s *Stream) failure(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("an event is larger than %s, the largest that is accepted", sizeText(s.client.maxEvent))
	}
	return s.client.failure(s.ctx, err)
}

// sizeText returns a number of bytes in the largest unit that it is a multiple of.
func sizeText(n int) string {
	for _, unit := range []struct {
		size int
		name string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n%unit.size == 0 {
			return fmt.Sprintf("%d %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// ReadEvents yields the events of a recorded stream. Its errors are those of
// [Stream.Events].
func ReadEvents(r io.Reader) iter.Seq2[Event, error] {
	c := &Client{maxEvent: DefaultMaxEvent}
	s := &Stream{ctx: context.Background(), client: c, resp: &http.Response{Body: io.NopCloser(r)}}
	return s.Events()
}

// parseEvent is strict only where a verdict hangs on it.
func parseEvent(name, data string) (Event, error) {
	e := Event{Name: name, Time: time.Now(), Data: data}
	if name == "" {
		e.Name = "message" // the default of the specification
	}
	var fields map[string]json.RawMessage
	err := json.Unmarshal([]byte(data), &fields)
	if err != nil {
		e.Msg = data
	} else if msg, ok := fields["msg"]; ok && json.Unmarshal(msg, &e.Msg) != nil {
		e.Msg = string(msg)
	}
	switch name {
	case HighstateStart:
		if err == nil {
			err = required(fields, "minions", &e.Minions)
		}
	case HighstateUpdate:
		if err == nil {
			err = errors.Join(required(fields, "minion", &e.Minion), required(fields, "result", &e.Result))
		}
	default:
		return e, nil
	}
	if err != nil {
		return Event{}, fmt.Errorf("the event %s is not as the protocol has it: %w", name, err)
	}
	return e, nil
}

func required(fields map[string]json.RawMessage, key string, into any) error {
	raw, ok := fields[key]
	if !ok || string(raw) == "null" {
		return fmt.Errorf("it has no %q", key)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%q: %w", key, err)
	}
	return nil
}

package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/spirostack/spirodeploy/internal/plain"
	"github.com/spirostack/spirodeploy/internal/rawjson"
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
		for raw, err := range readEvents(s.resp.Body, s.client.maxEvent) {
			if err != nil {
				yield(Event{}, &StreamError{s.failure(err)})
				return
			}
			event, err := parseEvent(s.client.token.Redact(raw.name), s.redact(raw.data))
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

// redact returns data without the token, and as it came where that is not in it.
func (s *Stream) redact(data []byte) []byte {
	for _, written := range [][]byte{unescape(data), data} {
		before := rawjson.View(written)
		// Where nothing is found, that is the same string, and soon compared.
		if after := s.client.token.Redact(before); after != before {
			return []byte(after)
		}
		if len(written) == len(data) {
			break // nothing was escaped
		}
	}
	return data
}

func (s *Stream) failure(err error) error {
	if errors.As(err, new(tooLargeError)) {
		return err
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

// MaxMinions is how many minions a deployment may have: more than any Salt
// master serves. maxDepth is how deeply what it returns may be nested.
const (
	MaxMinions = 100_000
	maxDepth   = 100
)

// parseEvent reads an event's data, which it keeps: nobody else may write to it. It is strict only where a
// verdict hangs on it.
func parseEvent(name string, data []byte) (Event, error) {
	text := rawjson.View(data)
	e := Event{Name: name, Time: time.Now(), Data: text}
	if name == "" {
		e.Name = "message" // the default of the specification
	}
	var minions, minion string
	c := rawjson.NewCursor(text, maxDepth)
	if c.First() == '{' {
		for more := c.Object(); more; more = c.More('}') {
			switch c.Name() {
			case "msg":
				e.Msg = message(c.Value())
			case "minions":
				minions = c.Value()
			case "minion":
				minion = c.Value()
			case "result":
				size, end := len(c.Value()), c.Offset()
				e.Result = json.RawMessage(data[end-size : end : end])
			default:
				c.Value()
			}
		}
	}
	if !c.End() {
		problem := problemOf(data)
		if name == HighstateStart || name == HighstateUpdate {
			return Event{}, fmt.Errorf(badEvent, name, problem)
		}
		e.Msg, e.Result = text, nil
		return e, nil
	}
	var problem error
	switch name {
	case HighstateStart:
		e.Minions, problem = readMinions(minions)
	case HighstateUpdate:
		if e.Minion, problem = readMinion(minion); problem == nil && isNull(string(e.Result)) {
			problem = errors.New(`it has no "result"`)
		}
	}
	if name != HighstateUpdate {
		e.Result = nil
	}
	if problem != nil {
		return Event{}, fmt.Errorf(badEvent, name, problem)
	}
	return e, nil
}

const badEvent = "the event %s is not as the protocol has it: %w"

// message returns what a "msg" says: most often it is a text. It is a copy: of a
// message, the whole event is not to be kept.
func message(value string) string {
	if rawjson.First(value) == '"' {
		value = rawjson.Text(value)
	}
	return strings.Clone(value)
}

// problemOf returns why data is no object that can be looked into.
func problemOf(data []byte) error {
	switch {
	case rawjson.Depth(rawjson.View(data)) > maxDepth:
		return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	case !json.Valid(data):
		return errors.New("it is no JSON")
	}
	return errors.New("it is no JSON object")
}

// readMinions reads a list of ids.
func readMinions(raw string) ([]string, error) {
	switch {
	case isNull(raw):
		return nil, errors.New(`it has no "minions"`)
	case rawjson.First(raw) != '[':
		return nil, errors.New(`"minions" is no list`)
	}
	ids := []string{}
	for item := range rawjson.Elements(raw) {
		id, err := readMinion(item)
		if err != nil {
			return nil, err
		}
		if len(ids) == MaxMinions {
			return nil, ErrMinions
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// ErrMinions means that a server names more minions than there can be.
var ErrMinions = errors.New("there are more than " + plain.Thousands(MaxMinions) + " minions, which cannot be")

// maxID is the length in bytes of the longest minion id: Salt keeps a file of
// that name.
const maxID = 255

// readMinion reads an id.
func readMinion(raw string) (string, error) {
	if isNull(raw) {
		return "", errors.New(`it has no "minion"`)
	}
	if rawjson.First(raw) != '"' {
		return "", errors.New("the id of a minion is no text")
	}
	id := rawjson.Text(raw)
	switch {
	case id == "":
		return "", errors.New("the id of a minion is empty")
	case len(id) > maxID:
		return "", fmt.Errorf("the id of a minion is longer than %d bytes", maxID)
	}
	return strings.Clone(id), nil // as with messages
}

// isNull reports whether a member is missing or null.
func isNull(raw string) bool { return raw == "" || raw == "null" }

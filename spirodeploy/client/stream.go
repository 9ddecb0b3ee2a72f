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
	"unsafe"

	"github.com/spirostack/spirodeploy/internal/human"
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

// IsKnown reports whether a name is that of an event that SpiroFS 0.3 sends.
func IsKnown(name string) bool {
	switch name {
	case DeployBundle, HighstateCalc, HighstateStart, HighstateUpdate, HighstateFinish, Exception:
		return true
	}
	return false
}

// Event is what the server tells.
type Event struct {
	Name    string    `json:"event"`
	Time    time.Time `json:"time"` // when it arrived
	Msg     string    `json:"msg,omitempty"`
	Minions []string  `json:"minions,omitempty"`
	// Missing are the minions that a server with spirofs-compat asked whether they are
	// concerned, and that did not answer; only HighstateStart has it. SpiroFS itself
	// tells nothing of them.
	Missing []string        `json:"missing,omitempty"`
	Minion  string          `json:"minion,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"` // what Salt returned for Minion
	// Problem says why there is no Result for Minion: it is larger than
	// [Options.MaxEvent], or cannot be read.
	Problem string `json:"problem,omitempty"`
	// Data is all of the event's data, as it came but for tokens. Numbers that JSON
	// does not have (NaN, Infinity and -Infinity, as Python writes them) are texts in
	// it, and in Result.
	Data string `json:"-"`
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

// errOver is the cause with which the stream ends if the server does not end it.
var errOver = errors.New("the last event has come")

// Events yields the events as they come, until the server ends the stream; it
// can be ranged over once. Whether the end is a good one is for the reader of
// the events to say: a deployment without highstate ends after DeployBundle.
// After HighstateFinish or Exception, nothing is left to come: the stream ends
// some seconds later if the server does not end it.
//
// An error, a [StreamError], is the last that is yielded. If only the result of
// one minion cannot be read, that is no error: the event has a Problem.
func (s *Stream) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ending := false
		body := s.listen()
		for raw, err := range readEvents(body, s.client.maxEvent) {
			if err != nil {
				if !errors.Is(context.Cause(s.ctx), errOver) {
					yield(Event{}, s.streamError(err))
				}
				return
			}
			event, err := s.client.parseEvent(raw)
			if err != nil {
				yield(Event{}, &StreamError{Err: err, Malformed: true})
				return
			}
			if !ending && (event.Name == HighstateFinish || event.Name == Exception) {
				ending = true
				body.limit = 0
				defer s.endSoon()()
			}
			if !yield(event, nil) {
				return
			}
		}
	}
}

// endSoon ends the stream in a while. The function takes that back.
func (s *Stream) endSoon() (stop func()) {
	timer := time.AfterFunc(s.client.grace, func() { s.cancel(errOver) })
	return func() { timer.Stop() }
}

// streamError returns the error for what broke the stream.
func (s *Stream) streamError(err error) error {
	if errors.As(err, new(tooLargeError)) {
		return &StreamError{Err: err, Malformed: true}
	}
	if errors.Is(err, errUnfinished) && s.ctx.Err() == nil {
		return &StreamError{Err: err}
	}
	return &StreamError{Err: s.client.failure(s.ctx, err)}
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
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &Stream{
		ctx: ctx, cancel: cancel, resp: &http.Response{Body: io.NopCloser(r)},
		client: &Client{maxEvent: DefaultMaxEvent, grace: grace},
	}
	return s.Events()
}

// MaxMinions is how many minions a deployment may have: more than any Salt
// master serves. maxDepth is how deeply what it returns may be nested, and
// anyDepth how deeply an event may be in which its minion is looked for.
const (
	MaxMinions = 100_000
	maxDepth   = 100
	anyDepth   = 10_000
)

// parseEvent reads an event, whose data it keeps: nobody else may write to it.
func (c *Client) parseEvent(raw rawEvent) (Event, error) {
	name := raw.name
	if !IsKnown(name) { // else it is what it is, whatever the token
		name = c.token.Redact(name)
	}
	if raw.lost > 0 {
		problem := fmt.Errorf("it is larger than %s (the event has %s bytes): %s",
			sizeText(c.maxEvent), human.Thousands(len(raw.data)+raw.lost), moreSpace.Spell(c.spell))
		e, err := unreadable(name, c.token.Redact(string(raw.data)), problem)
		if err != nil {
			return Event{}, tooLargeError{c.maxEvent}
		}
		return e, nil
	}
	text := rawjson.View(raw.data)
	// If nothing is found, that is the same string, and soon compared.
	if redacted := c.token.RedactJSON(text); redacted != text {
		text = redacted
		if !isJSON(text) {
			text = c.token.Redact(rawjson.View(raw.data))
		}
	}
	return parseEvent(name, text)
}

func isJSON(text string) bool {
	c := rawjson.NewPython(text, anyDepth)
	c.Value()
	return c.End()
}

// parseEvent reads an event's data. It is strict only where a verdict hangs on it.
func parseEvent(name, text string) (Event, error) {
	e := Event{Name: name, Time: time.Now(), Data: text}
	if name == "" {
		e.Name = "message" // the default of the specification
	}
	var minions, missing, minion string
	c := rawjson.NewPython(text, maxDepth)
	if c.First() == '{' {
		for more := c.Object(); more; more = c.More('}') {
			switch c.Name() {
			case "msg":
				e.Msg = message(c.Value())
			case "minions":
				minions = c.Value()
			case "missing":
				missing = c.Value()
			case "minion":
				minion = c.Value()
			case "result":
				e.Result = bytesOf(c.Value())
			default:
				c.Value()
			}
		}
	}
	switch {
	case c.End() && c.NonFinite():
		return parseEvent(name, rawjson.Finite(text))
	case !c.End() && name == HighstateUpdate:
		return unreadable(name, text, problemOf(text))
	case !c.End() && name == HighstateStart:
		return Event{}, fmt.Errorf(badEvent, name, problemOf(text))
	case !c.End():
		e.Msg, e.Result = text, nil
		return e, nil
	}
	var problem error
	switch name {
	case HighstateStart:
		if e.Minions, problem = readMinions(minions); problem == nil && rawjson.First(missing) == '[' {
			e.Missing, problem = readMinions(missing)
		}
	case HighstateUpdate:
		if e.Minion, problem = readMinion(minion); problem == nil && isNull(string(e.Result)) {
			return unreadable(name, text, errors.New(`the event has no "result"`))
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

// bytesOf returns a text's bytes without a copy. Nobody writes to them.
func bytesOf(text string) json.RawMessage {
	return unsafe.Slice(unsafe.StringData(text), len(text)) //nolint:gosec // its readers only read
}

// unreadable returns the event for a minion whose result has a problem. If it is
// not to be seen which minion it is about, the problem is the whole event's.
func unreadable(name, text string, problem error) (Event, error) {
	e, minion := Event{Name: name, Time: time.Now()}, ""
	if name == HighstateUpdate {
		c := rawjson.NewPython(text, anyDepth)
		for more := c.Object(); more; more = c.More('}') {
			switch c.Name() {
			case "msg":
				e.Msg = message(c.Value())
			case "minion":
				minion = c.Value()
			default:
				c.Value()
			}
		}
	}
	var err error
	if e.Minion, err = readMinion(minion); err != nil {
		return Event{}, fmt.Errorf(badEvent, name, problem)
	}
	e.Problem = "what Salt returned for it cannot be read: " + problem.Error()
	return e, nil
}

// message returns what a "msg" says: most often it is a text. It is a copy: of a
// message, the whole event is not to be kept.
func message(value string) string {
	if rawjson.First(value) == '"' {
		value = rawjson.Text(value)
	}
	return strings.Clone(value)
}

// problemOf returns why data is no object that can be looked into.
func problemOf(text string) error {
	switch {
	case rawjson.Depth(text) > maxDepth:
		return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	case !isJSON(text):
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
var ErrMinions = errors.New("there are more than " + human.Thousands(MaxMinions) + " minions, which cannot be")

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
	id := rawjson.Name(raw)
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

package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/spirostack/spirodeploy/internal/human"
	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
)

// Names of the events that SpiroFS 0.3 sends. Events of other names are passed
// through.
const (
	DeployBundle    = "deploy-bundle"    // the bundle is being unpacked
	HighstateCalc   = "highstate-calc"   // the server looks for the minions concerned
	HighstateStart  = "highstate-start"  // highstates begin, on Minions
	HighstateUpdate = "highstate-update" // Minion is done, with Result
	HighstateFinish = "highstate-finish" // all minions are done
	Exception       = "exception"        // the server failed; the stream ends
)

// IsKnown reports whether SpiroFS 0.3 sends events of a name.
func IsKnown(name string) bool {
	return slices.Contains([]string{DeployBundle, HighstateCalc, HighstateStart, HighstateUpdate, HighstateFinish, Exception}, name)
}

// Event is an event of the server.
type Event struct {
	Name    string    `json:"event"`
	Time    time.Time `json:"time"` // when it arrived
	Msg     string    `json:"msg,omitempty"`
	Minions []string  `json:"minions,omitempty"`
	// Missing are the minions that did not answer when the server asked whether they
	// are concerned. Only HighstateStart has it, and only if the server runs
	// spirofs-compat.
	Missing []string        `json:"missing,omitempty"`
	Minion  string          `json:"minion,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"` // what Salt returned for Minion
	// Problem says why Result is missing: the event is larger than
	// [Options.MaxEvent], or malformed.
	Problem string `json:"problem,omitempty"`
	// Data is all data of the event, without tokens. Python writes numbers that JSON
	// lacks, NaN, Infinity and -Infinity; they are strings in Data and Result.
	Data string `json:"-"`

	brief *highstate.Brief // of Result, if it was parsed to find its end
}

// Highstate returns Result, parsed by [highstate.Parse] at each call. If the client yielded the
// event, Result must not have changed since.
func (e *Event) Highstate() highstate.Result {
	if e.brief != nil && !e.brief.Short {
		return e.brief.Result
	}
	return highstate.Parse(e.Result)
}

// Brief returns Result, parsed by [highstate.ParseBrief]. It takes no time if the result came
// last in its event, as it mostly does: the client has parsed it then.
func (e *Event) Brief() highstate.Brief {
	if e.brief != nil {
		return *e.brief
	}
	return highstate.ParseBrief(e.Result)
}

// Stream is the answer to [Client.Upload].
type Stream struct {
	ctx    context.Context // of the request
	client *Client
	resp   *http.Response
	cancel context.CancelCauseFunc // ends ctx

	prefetches bool // whether Close ends reading
}

// Close ends the stream. The server continues the deployment.
func (s *Stream) Close() error {
	err := s.resp.Body.Close()
	s.cancel(nil)
	return err
}

// errOver is the cause of the context if the server does not end the stream in time.
var errOver = errors.New("the last event has come")

// Events yields the events as they arrive, until the server ends the stream. It can be
// ranged over once. The caller must judge whether the end is a success: a deployment
// without a highstate ends after DeployBundle, others end with HighstateFinish. Events
// closes the stream some seconds after HighstateFinish or Exception if the server does
// not. It may read the next event in the background; if the caller stops early, Close ends that.
//
// Events stops after an error, which is a [StreamError]. An unreadable result of one
// minion is not an error: the event has a Problem instead.
func (s *Stream) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ending := false
		body := s.listen()
		for feed := s.client.feed(body); ; {
			clean, err := feed.next()
			switch {
			case errors.Is(err, io.EOF) || err != nil && errors.Is(context.Cause(s.ctx), errOver):
				return
			case err != nil:
				yield(Event{}, s.streamError(err))
				return
			case s.prefetches && clean.takesTime():
				feed.prefetch()
			}
			event, err := s.client.parse(clean)
			if err != nil {
				yield(Event{}, &StreamError{Err: err, Malformed: true})
				return
			}
			if !ending && (event.Name == HighstateFinish || event.Name == Exception) {
				ending = true
				body.lift()
				timer := time.AfterFunc(s.client.grace, func() { s.cancel(errOver) })
				defer timer.Stop()
			}
			if !yield(event, nil) {
				return
			}
		}
	}
}

// streamError returns the error for what broke the stream.
func (s *Stream) streamError(err error) error {
	malformed := errors.As(err, new(tooLargeError))
	if !malformed && (!errors.Is(err, errUnfinished) || s.ctx.Err() != nil) {
		err = s.client.failure(s.ctx, err)
	}
	return &StreamError{Err: err, Malformed: malformed}
}

// sizeText returns a limit in bytes for people: "16 MiB".
func sizeText(n int) string { return strings.Replace(human.Size(int64(n)), ".0 ", " ", 1) }

// ReadEvents yields the events of a recorded stream, as [Stream.Events] does.
func ReadEvents(r io.Reader) iter.Seq2[Event, error] {
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &Stream{
		ctx: ctx, cancel: cancel, resp: &http.Response{Body: io.NopCloser(r)},
		client: &Client{maxEvent: DefaultMaxEvent, grace: grace},
	}
	return s.Events()
}

// MaxMinions is how many minions a deployment may have. No Salt master serves more.
const MaxMinions = 100_000

const (
	maxDepth = 100    // how deeply a result may be nested; its event has a level more
	anyDepth = 10_000 // how deeply an unreadable event may be nested to find its minion
)

// parse parses an event.
func (c *Client) parse(clean cleanEvent) (Event, error) {
	if !clean.cut {
		return parseEvent(clean)
	}
	problem := fmt.Errorf("it is larger than %s (the event has %s bytes): %s",
		sizeText(c.maxEvent), human.Thousands(clean.size), moreSpace.Spell(c.spell))
	e, err := unreadable(clean, problem)
	if err != nil {
		return Event{}, tooLargeError{c.maxEvent}
	}
	return e, nil
}

// isJSON reports whether a text is JSON, or JSON as Python writes it.
func isJSON(text string) bool {
	c := rawjson.NewPython(text, anyDepth)
	c.Value()
	return c.End()
}

// parseEvent parses an event's data. It is strict only if the verdict depends on it.
func parseEvent(clean cleanEvent) (Event, error) {
	name, text := clean.name, clean.text
	e := Event{Name: name, Time: clean.arrived, Data: text}
	if name == "" {
		e.Name = "message" // the standard's default
	}
	c := rawjson.NewPython(text, maxDepth+1)
	minions, missing, minion := e.read(c)
	switch {
	case c.End() && c.NonFinite():
		clean.text = rawjson.Finite(text)
		return parseEvent(clean)
	case !c.End() && name == HighstateUpdate:
		return unreadable(clean, problemOf(text))
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
		if e.Minion, problem = readMinion(minion); problem == nil && isNull(rawjson.View(e.Result)) {
			return unreadable(clean, errors.New(`the event has no "result"`))
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

// read reads the members of an event, and returns those that are not in their form yet.
func (e *Event) read(c *rawjson.Cursor) (minions, missing, minion string) {
	if c.First() != '{' {
		return "", "", ""
	}
	tried := e.Name != HighstateUpdate // once is enough: there may be a million results
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
			if tried || !e.parseRest(c) {
				e.Result = bytesOf(c.Value())
			}
			tried = true
		default:
			c.Value()
		}
	}
	return minions, missing, minion
}

// parseRest parses the rest of the event as its result, and reports whether that is a result
// with states. Most results come last in their event: they are parsed without a search for
// their end.
func (e *Event) parseRest(c *rawjson.Cursor) bool {
	rest, ok := strings.CutSuffix(strings.TrimRight(c.Rest(), " \t\r\n"), "}")
	if !ok {
		return false
	}
	result := highstate.ParseBrief(bytesOf(rest))
	if result.All.Total == 0 { // it may be malformed
		return false
	}
	e.Result, e.brief = bytesOf(strings.Trim(rest, " \t\r\n")), &result
	c.Skip(len(rest))
	return true
}

const badEvent = "the event %s is malformed: %w"

// bytesOf returns the bytes of a text without a copy. Nobody may write to them.
func bytesOf(text string) json.RawMessage {
	return unsafe.Slice(unsafe.StringData(text), len(text)) //nolint:gosec // its readers only read
}

// unreadable returns an event with a Problem instead of a result. It fails with the problem
// if it cannot tell which minion the event is about.
func unreadable(clean cleanEvent, problem error) (Event, error) {
	e, minion := Event{Name: clean.name, Time: clean.arrived}, ""
	if e.Name == HighstateUpdate {
		_, _, minion = e.read(rawjson.NewPython(clean.text, anyDepth))
		e.Result, e.brief = nil, nil
	}
	var err error
	if e.Minion, err = readMinion(minion); err != nil {
		return Event{}, fmt.Errorf(badEvent, e.Name, problem)
	}
	e.Problem = "its result cannot be read: " + problem.Error()
	return e, nil
}

// message returns the text of a "msg", or its JSON if it is not a string. It copies the
// text, so that a message does not keep the whole event in memory.
func message(value string) string {
	if rawjson.First(value) == '"' {
		value = rawjson.Text(value)
	}
	return strings.Clone(value)
}

// problemOf returns why data is not a readable object.
func problemOf(text string) error {
	switch {
	case rawjson.Depth(text) > maxDepth+1:
		return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	case !isJSON(text):
		return errors.New("it is not JSON")
	}
	return errors.New("it is not a JSON object")
}

// readMinions reads a list of minion ids.
func readMinions(raw string) ([]string, error) {
	switch {
	case isNull(raw):
		return nil, errors.New(`it has no "minions"`)
	case rawjson.First(raw) != '[':
		return nil, errors.New(`"minions" is not a list`)
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

// ErrMinions means that the server names more than [MaxMinions] minions.
var ErrMinions = errors.New("there are more than " + human.Thousands(MaxMinions) + " minions")

// maxID is the length in bytes of the longest minion id. Salt uses the id as a file
// name.
const maxID = 255

// readMinion reads a minion id.
func readMinion(raw string) (string, error) {
	if isNull(raw) {
		return "", errors.New(`it has no "minion"`)
	}
	if rawjson.First(raw) != '"' {
		return "", errors.New("a minion id is not a string")
	}
	id := rawjson.Name(raw)
	switch {
	case id == "":
		return "", errors.New("a minion id is empty")
	case len(id) > maxID:
		return "", fmt.Errorf("a minion id is longer than %d bytes", maxID)
	}
	return strings.Clone(id), nil // as message does
}

// isNull reports whether a member is missing or null.
func isNull(raw string) bool { return raw == "" || raw == "null" }

package client

import (
	"time"

	"github.com/spirostack/spirodeploy/internal/rawjson"
)

// cleanEvent is an event of a stream without tokens, before its data is parsed.
type cleanEvent struct {
	name    string
	text    string    // the data, or its beginning
	size    int       // of the data, in bytes
	cut     bool      // whether text is only the beginning of the data
	arrived time.Time // when
}

// clean removes the token from an event. It keeps the data, which nobody may change
// afterwards.
func (c *Client) clean(raw rawEvent) cleanEvent {
	e := cleanEvent{name: raw.name, size: len(raw.data) + raw.lost, cut: raw.lost > 0, arrived: time.Now()}
	if !IsKnown(e.name) { // a known name stays, even if the token is the same text
		e.name = c.token.Redact(e.name)
	}
	text := rawjson.View(raw.data)
	if e.cut {
		e.text = c.token.Redact(text)
		return e
	}
	// RedactJSON returns the same string if it finds no token, so comparing is cheap.
	if e.text = c.token.RedactJSON(text); e.text != text && !isJSON(e.text) {
		e.text = c.token.Redact(text)
	}
	return e
}

// feed reads clean events, and may read the next one while the caller handles the last.
type feed struct {
	body   *listener
	events *events
	client *Client
	ahead  chan arrival // gets the next event; nil if nobody reads it yet
}

// arrival is what read returns.
type arrival struct {
	event cleanEvent
	err   error
}

func (c *Client) feed(body *listener) *feed {
	return &feed{body: body, events: newEvents(body, c.maxEvent), client: c}
}

// next returns the next event. Its errors are those of the events.
func (f *feed) next() (cleanEvent, error) {
	var a arrival
	f.body.await(func() {
		if f.ahead == nil {
			a = f.read()
		} else {
			a = <-f.ahead
		}
	})
	f.ahead = nil
	return a.event, a.err
}

func (f *feed) read() arrival {
	raw, err := f.events.next()
	if err != nil {
		return arrival{err: err}
	}
	return arrival{event: f.client.clean(raw)}
}

// prefetch reads the next event in the background. The caller must call next before it calls
// prefetch again.
func (f *feed) prefetch() {
	f.ahead = make(chan arrival, 1) // nobody may want it any more
	go func(ahead chan<- arrival) { ahead <- f.read() }(f.ahead)
}

// The client reads the next event while the caller handles a result of this size, in bytes. The
// caller soon handles a smaller one; with larger ones, too much would be in memory.
const (
	minPrefetch = 32 << 10
	maxPrefetch = 2 << 20
)

// takesTime reports whether the event is worth a prefetch.
func (e *cleanEvent) takesTime() bool {
	return e.name == HighstateUpdate && minPrefetch <= e.size && e.size <= maxPrefetch
}

package hostile_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
)

const streamHeader = "Content-Type: text/event-stream\r\n"

// stream answers with the beginning of a stream of events.
func stream(w *wire) { whole("200 OK", streamHeader)(w) }

// event returns an event as the server sends it.
func event(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// begun is the beginning of a stream, up to the reports of minions.
func begun(w *wire) {
	stream(w)
	w.print(event("deploy-bundle", `{"msg": "Deploying bundle"}`), event("highstate-calc", `{"msg": "Calculating"}`))
}

// update returns the event of a minion with a result.
func update(minion, result string) string {
	return event("highstate-update", `{"msg": "done", "minion": "`+minion+`", "result": `+result+`}`)
}

const (
	good     = `{"ret": {"test_|-a_|-a_|-nop": {"result": true, "__run_num__": 0}}, "retcode": 0}`
	tooLarge = "an event is larger than 16 MiB"
	timeUp   = "the time for the whole run is up"
	cut      = "ended the stream of events too early"
)

// soon ends runs whose streams would go on for ever.
var soon = []string{"--timeout=" + pace.Soon().String()}

// TestEndlessEvents: events that never end, and endless streams of events that do.
func TestEndlessEvents(t *testing.T) {
	t.Parallel()
	test(t, []attack{
		{name: "data line", post: endlessly("event: x\ndata: ", "abcd"), status: 6, says: tooLarge},
		{name: "data lines", post: endlessly("event: x\n", "data: abcdefgh\n"), status: 6, says: tooLarge},
		{name: "empty data lines", post: endlessly("event: x\n", "data\n"), status: 6, says: tooLarge},
		{name: "event name", post: endlessly("event: ", "abcd"), status: 6, says: tooLarge},
		{name: "names of one event", post: endlessly("", "event: abcd\n"), args: soon, status: 6, says: timeUp},
		{name: "event id", post: endlessly("id: ", "abcd"), status: 6, says: tooLarge},
		{name: "comment", post: endlessly(": ", "abcd"), status: 6, says: tooLarge},
		{name: "comment lines", post: endlessly("", ": abcd\n"), args: soon, status: 6, says: timeUp},
		{name: "blank lines", post: endlessly("", "\n"), args: soon, status: 6, says: timeUp},
		{name: "1 GiB", post: func(w *wire) {
			stream(w)
			w.print("data: ")
			w.repeat(strings.Repeat("x", 1<<20), 1<<10)
			w.print("\n\n")
		}, status: 6, says: tooLarge},
		{name: "unknown events", post: endlessly("", event("news", `{"msg": "nothing"}`)), args: soon, status: 6, says: timeUp},
		{name: "events without a name", post: endlessly("", "data: x\n\n"), args: soon, status: 6, says: timeUp},
		{name: "large unknown events", post: endlessly("", event("news", strings.Repeat("x", 1<<20))), args: soon, status: 6, says: timeUp},
		{name: "deploy-bundle", post: endlessly("", event("deploy-bundle", `{"msg": "Deploying bundle"}`)), args: soon, status: 6, says: timeUp},
		{name: "one minion", post: after(begun, func(w *wire) { w.forever(update("web1", good)) }), args: soon, status: 6, says: timeUp},
		{name: "exceptions", post: endlessly("", event("exception", `{"msg": "it broke\n`+strings.Repeat("x", 1<<20)+`\nreally"}`)), args: soon, status: 4, says: "it broke"},
	})
}

// TestMinions: more minions than any master has.
func TestMinions(t *testing.T) {
	t.Parallel()
	const tooMany = "more than 100,000 minions"
	test(t, []attack{
		{name: "each reports", post: after(begun, func(w *wire) {
			for i := 0; w.open(); i++ {
				w.print(update(fmt.Sprint("minion", i), good))
			}
		}), status: 6, says: tooMany},
		{name: "each with a large id", post: after(begun, func(w *wire) {
			for i := 0; w.open(); i++ {
				w.print(update(fmt.Sprint(strings.Repeat("m", 1<<20), i), good))
			}
		}), status: 6, says: "longer than 255 bytes"},
		{name: "named in one event", post: after(begun, func(w *wire) { w.print(start(0, 1_700_000, "%d")) }), status: 6, says: tooMany},
		{name: "the same in one event", post: after(begun, func(w *wire) {
			w.print(event("highstate-start", `{"minions": [`+strings.Repeat(`"",`, 5_500_000)+`""]}`))
		}), status: 6, says: "minion"},
		{name: "named in many events", post: after(begun, func(w *wire) {
			for i := 0; w.open(); i += 5000 {
				w.print(start(i, i+5000, "minion%d"))
			}
		}), status: 6, says: tooMany},
		{name: "named again and again", post: after(begun, func(w *wire) { w.forever(start(0, 90_000, strings.Repeat("m", 100)+"%d")) }), args: soon, status: 6, says: timeUp},
	})
}

// start returns an event that names minions.
func start(from, to int, format string) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `,"`+format+`"`, i)
	}
	return event("highstate-start", `{"msg": "Highstating", "minions": [`+b.String()[1:]+`]}`)
}

// TestNoStream: answers that are not a stream of events.
func TestNoStream(t *testing.T) {
	t.Parallel()
	test(t, []attack{
		{name: "garbage", post: after(stream, garbage), status: 6, says: "in the middle of an event"},
		{name: "another type", post: whole("200 OK", "Content-Type: application/json\r\n", `{"result": "ok"}`), status: 6, says: maybe},
		{name: "no type", post: whole("200 OK", "", "data: x\n\n"), status: 6, says: maybe},
		{name: "HTML", post: whole("200 OK", "Content-Type: text/html\r\n", "<title>Log in</title>"), status: 6, says: "check the server URL"},
		{name: "nothing", post: stream, status: 6, says: cut},
		{name: "half an event", post: after(stream, func(w *wire) { w.print("event: deploy-bundle\ndata: {") }), status: 6, says: "in the middle of an event"},
		{name: "no answer", post: func(*wire) {}, status: 6, says: maybe},
	})
}

// garbage writes random bytes.
func garbage(w *wire) {
	random := rand.NewChaCha8([32]byte{})
	block := make([]byte, 1<<20)
	for range 64 {
		_, _ = random.Read(block)
		w.print(string(block))
	}
}

// endlessly answers with a stream that begins so, and goes on so for ever.
func endlessly(begin, text string) answer {
	return after(stream, func(w *wire) {
		w.print(begin)
		w.forever(text)
	})
}

// after answers with one thing, then the other.
func after(first, then answer) answer {
	return func(w *wire) {
		first(w)
		then(w)
	}
}

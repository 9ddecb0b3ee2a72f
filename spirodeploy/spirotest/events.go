package spirotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// stream is the event stream of one deployment. Errors of writing are dropped:
// nobody listens any more, and the deployment goes on.
type stream struct {
	to    io.Writer
	flush func() error
}

func startStream(w http.ResponseWriter) *stream {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	out := &stream{to: w, flush: http.NewResponseController(w).Flush}
	_ = out.flush()
	return out
}

// send writes an event whose data starts with its message.
func (out *stream) send(event, message string, more ...member) {
	data, err := pythonJSON(append(object{{"msg", message}}, more...))
	if err != nil {
		panic(err) // the server's own strings can always be marshalled
	}
	out.write(event, data)
}

// report writes the event of a minion that is done. It fails if the
// minion's scripted result cannot be marshalled.
func (out *stream) report(m Minion) error {
	result, err := pythonResult(m.Result)
	if err != nil {
		return exception{"TypeError", fmt.Sprintf("result of minion %s: %v", m.ID, err)}
	}
	head, err := pythonJSON(object{{"msg", "Minion " + m.ID + " finished"}, {"minion", m.ID}})
	if err != nil {
		return err
	}
	out.write("highstate-update", strings.TrimSuffix(head, "}")+`, "result": `+result+"}")
	return nil
}

// pythonResult writes a minion's result for one line of the stream.
func pythonResult(result any) (string, error) {
	switch result := result.(type) {
	case nil:
		return pythonJSON(everythingSucceeded(""))
	case json.RawMessage:
		return strings.NewReplacer("\r", " ", "\n", " ").Replace(string(result)), nil
	default:
		return pythonJSON(result)
	}
}

func (out *stream) write(event, data string) {
	_, _ = fmt.Fprintf(out.to, "event: %s\ndata: %s\n\n", event, data)
	_ = out.flush()
}

// replay writes a recorded stream, event by event.
func (out *stream) replay(recorded []byte) {
	for event := range bytes.SplitAfterSeq(recorded, []byte("\n\n")) {
		_, _ = out.to.Write(event)
		_ = out.flush()
	}
}

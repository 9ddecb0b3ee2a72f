package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tmaxmax/go-sse"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/highstate"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// collect reads the events of a stream, until an error.
func collect(r io.Reader, limit int) (events []rawEvent, err error) {
	for in := newEvents(r, limit); ; {
		e, err := in.next()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
}

// told returns events as texts. The oracle does not distinguish empty data from no data.
func told(events []rawEvent, evenEmpty bool) []string {
	var texts []string
	for _, e := range events {
		if evenEmpty || len(e.data) > 0 {
			texts = append(texts, fmt.Sprintf("%s=%q, %d lost", e.name, e.data, e.lost))
		}
	}
	return texts
}

func TestReadEvents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stream string
		want   []string // name=data
	}{
		{"", nil},
		{"\n\n\r\n: comment\n\n", nil},
		{"event: a\ndata: 1\n\n", []string{"a=1"}},
		{"\ufeffevent: a\rdata: 1\r\rdata:2\r\n\r\ndata\n\n", []string{"a=1", "=2", "="}},
		{"data: 1\ndata\ndata:  2\n\n", []string{"=1\n\n 2"}},
		{strings.Repeat("data\n", 2) + "\n", []string{"=\n"}},
		{"event: a\nevent: b\ndata: 1\n\ndata: 2\n\n", []string{"b=1", "=2"}},
		{"event: a\n\nid: 1\n\nretry: 5\n\nother: x\n\ndatax: y\n\n", nil},
		{"event: a\n\nevent: b\ndata:\n\n", []string{"b="}},
		{"data: 12345\n\n", []string{"=12345"}},
	} {
		for name, r := range map[string]io.Reader{"whole": strings.NewReader(tt.stream), "bytes": iotest.OneByteReader(strings.NewReader(tt.stream))} {
			events, err := collect(r, 100)
			var got []string
			for _, e := range events {
				got = append(got, e.name+"="+string(e.data))
			}
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%s, %s: %q, %v, want %q", tt.stream, name, got, err, tt.want)
			}
		}
	}
}

// FuzzEvents compares the reader of streams with another implementation, and with itself
// reading byte by byte.
func FuzzEvents(f *testing.F) {
	for _, name := range streams.All {
		f.Add(streams.Read(name))
	}
	for _, seed := range []string{"\ufeffdata: x\r\rdata: y\r\n\r\n", "event\nid\ndata\n\n", ":\n\n\n", "data: x", "retry: 1\n\n", "data:\n\x00\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := collect(bytes.NewReader(stream), 1<<20)
		slow, slowErr := collect(iotest.OneByteReader(bytes.NewReader(stream)), 1<<20)
		if !slices.Equal(told(got, true), told(slow, true)) || !errors.Is(slowErr, err) {
			t.Errorf("%q: %q, %v, and byte by byte %q, %v", stream, told(got, true), err, told(slow, true), slowErr)
		}
		var want []rawEvent
		for e, err := range sse.Read(bytes.NewReader(stream), &sse.ReadConfig{MaxEventSize: 1 << 20}) {
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, rawEvent{name: e.Type, data: []byte(e.Data)})
		}
		if err != nil && !errors.Is(err, errUnfinished) || !slices.Equal(told(got, false), told(want, false)) {
			t.Errorf("%q: %q, %v, want %q", stream, told(got, false), err, told(want, false))
		}
		// A stream that is not cut ends with two line ends, or has no event at its end.
		if ended := append(slices.Clone(stream), "\n\n"...); err != nil {
			if _, err := collect(bytes.NewReader(ended), 1<<20); err != nil {
				t.Errorf("%q, with an end: %v", stream, err)
			}
		}
	})
}

// TestCut ends a stream at every byte: inside an event or a line, that is an error.
func TestCut(t *testing.T) {
	t.Parallel()
	const stream = ": hello\n\nevent: a\ndata: 1\n\nid: 7\ndata\n\r\n"
	whole := []int{0, len(": hello\n"), len(": hello\n\n"), len(": hello\n\nevent: a\ndata: 1\n\n"), len(stream) - 1, len(stream)}
	for n := range len(stream) + 1 {
		_, err := collect(strings.NewReader(stream[:n]), 100)
		if slices.Contains(whole, n) != (err == nil) || err != nil && !errors.Is(err, errUnfinished) {
			t.Errorf("%q: %v", stream[:n], err)
		}
	}
}

// TestLarge checks that enough is kept of a result beyond the limit to find its minion.
func TestLarge(t *testing.T) {
	t.Parallel()
	const limit = 1000
	big := strings.Repeat("x", 2*limit)
	update := func(name, text string) string { return "event: " + name + "\ndata: " + text + "\n\n" }
	result := `{"msg": "m", "minion": "web1", "result": {"ret": "` + big + `"}}`
	for name, tt := range map[string]struct{ stream, problem, err string }{
		"a result":                {update(HighstateUpdate, result), "larger than 1000 bytes (the event has 2,0", ""},
		"name after data":         {"data: " + result + "\nevent: highstate-update\n\n", "larger than 1000 bytes", ""},
		"several lines":           {"event: highstate-update\ndata: {\"minion\": \"web1\",\ndata: \"result\": \"" + big + "\"}\ndata: " + big + "\ndata:\n\n", "larger than 1000 bytes", ""},
		"many empty lines":        {"event: highstate-update\ndata: {\"minion\": \"web1\",\n" + strings.Repeat("data:\n", 2*limit) + "\n", "larger than 1000 bytes", ""},
		"minion after the result": {update(HighstateUpdate, `{"result": "`+big+`", "minion": "web1"}`), "", "an event is larger"},
		"another event":           {update("exception", `{"msg": "`+big+`"}`), "", "an event is larger"},
		"another, name last":      {"data: " + result + "\nevent: exception\n\n", "", "an event is larger"},
		"a comment":               {": " + big + "\n\n", "", "an event is larger"},
		"a name":                  {"event: " + big + "\n\n", "", "an event is larger"},
		"without an end":          {"event: highstate-update\ndata: {\"minion\": \"web1\", " + strings.Repeat(big, maxLost) + "\n\n", "", "an event is larger"},
		"cut":                     {"event: highstate-update\ndata: " + result, "", "in the middle of an event"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(tt.stream), "bytes": iotest.OneByteReader(strings.NewReader(tt.stream))} {
				ctx, cancel := context.WithCancelCause(t.Context())
				s := &Stream{ctx: ctx, cancel: cancel, client: &Client{maxEvent: limit}, resp: &http.Response{Body: io.NopCloser(r)}}
				problem, failed := "", ""
				for e, err := range s.Events() {
					if err != nil {
						failed = err.Error()
						continue
					}
					if problem = e.Problem; e.Minion != "web1" || e.Result != nil {
						t.Errorf("%s: the event is %+v", how, e)
					}
				}
				if !strings.Contains(problem, tt.problem) || !strings.Contains(failed, tt.err) || (failed == "") != (tt.err == "") {
					t.Errorf("%s: the problem is %q, the error %q", how, problem, failed)
				}
			}
		})
	}
}

// deep returns a result of some levels.
func deep(levels int) string {
	const before, after = `{"ret": {"a_|-b_|-c_|-d": {"result": true, "changes": `, `}}}`
	return before + strings.Repeat("[", levels-3) + strings.Repeat("]", levels-3) + after
}

// TestResult reads results wherever they are in their event. A million of them take
// no longer than one of the same size: the test would not end otherwise.
func TestResult(t *testing.T) {
	t.Parallel()
	const good, other = `{"ret": {"a_|-b_|-c_|-d": {"result": true, "comment": "}"}}}`, `{"ret": {"x_|-y_|-z_|-d": {"result": false}}}`
	for data, want := range map[string]string{
		`{"minion": "web1", "result": ` + good + `}`:                                                    good,
		`{"minion": "web1", "result":` + "\t" + good + ` } `:                                            good,
		`{"result": ` + good + `, "minion": "web1"}`:                                                    good,
		`{"minion": "web1", "result": ` + other + `, "result": ` + good + `}`:                           good,
		`{"minion": "web1", "result": ` + good + `, "result": {}}`:                                      `{}`,
		`{"minion": "web1", "result": {"ret": {}}}`:                                                     `{"ret": {}}`,
		`{"minion": "web1", "result": ["a"]}`:                                                           `["a"]`,
		`{"minion": "web1", "result": {"ret": {"a": {"result": NaN}}}}`:                                 `{"ret": {"a": {"result": "NaN"}}}`,
		`{"minion": "web1", "result": ` + good + `}}`:                                                   "",
		`{"minion": "web1", "result": ` + good + `, }`:                                                  "",
		`{"minion": "web1"` + strings.Repeat(`, "result": {}`, 1_000_000) + `, "result": ` + good + `}`: good,
		`{"minion": "web1", "result": ` + deep(100) + `}`:                                               deep(100),
		`{"result": ` + deep(100) + `, "minion": "web1"}`:                                               deep(100),
		`{"minion": "web1", "result": ` + deep(101) + `}`:                                               "",
		`{"result": ` + deep(101) + `, "minion": "web1"}`:                                               "",
	} {
		e, err := parseEvent(cleanEvent{name: HighstateUpdate, text: data})
		if err != nil || e.Minion != "web1" || string(e.Result) != want || (e.Problem == "") != (want != "") {
			t.Errorf("%.200s: %.200s, %q, %v", data, e.Result, e.Problem, err)
		}
		if got := e.Highstate(); want != "" && !reflect.DeepEqual(got, highstate.Parse([]byte(want))) {
			t.Errorf("%.200s: parsed as %+v", data, got)
		}
		if got := e.Brief(); want != "" && !reflect.DeepEqual(got, highstate.ParseBrief([]byte(want))) {
			t.Errorf("%.200s: brief %+v", data, got)
		}
	}
}

// FuzzStream checks that a client yields neither its token nor an event larger than the
// limit, and nothing after an error.
func FuzzStream(f *testing.F) {
	const secret = "MDAxY2xvY2F0aW9uIGh0dHBzOi8vdG9rZW4"
	tok, err := token.Parse(secret)
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range streams.All {
		f.Add(streams.Read(name), 300)
	}
	f.Add([]byte("event: "+secret+"\ndata: {\"msg\": \""+secret[:20]+"\"}\n\n"), 100)
	f.Add([]byte("event: highstate-start\ndata: {\"minions\": [\""+secret+"\"]}\n\n"), 100)
	f.Add([]byte("data: "+secret[:10]+"\ndata: "+secret[10:]+"\n\n"), 50)
	var hidden strings.Builder
	for i := range len(secret) {
		fmt.Fprintf(&hidden, `\u%04x`, secret[i])
	}
	f.Add([]byte(`data: {"msg": "`+hidden.String()+"\"}\n\n"), 500)
	f.Add([]byte("event: highstate-update\ndata: "+`{"minion": "m", "result": {"ret": "`+hidden.String()+"\"}}\n\n"), 500)
	f.Fuzz(func(t *testing.T, stream []byte, limit int) {
		limit = max(1, min(limit, 1<<20))
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		s := &Stream{ctx: ctx, cancel: cancel, client: &Client{maxEvent: limit, token: tok, grace: time.Minute}, resp: &http.Response{Body: io.NopCloser(bytes.NewReader(stream))}}
		ended := false
		for e, err := range s.Events() {
			if ended {
				t.Error("something comes after an error")
			}
			if ended = err != nil; ended {
				e.Msg = err.Error()
			} else if e.Name == "" {
				t.Error("an event without a name")
			}
			// A redacted part is shorter or longer than it was.
			if size := len(e.Name) + len(e.Data); size > limit+len("message") && !strings.Contains(e.Name+e.Data, "[redacted]") {
				t.Errorf("an event of %d bytes, the limit is %d", size, limit)
			}
			var result any
			_ = json.Unmarshal(e.Result, &result)
			for _, text := range append(e.Minions, fmt.Sprint(result), e.Name, e.Data, e.Msg, e.Minion, string(e.Result)) {
				for i := 0; i+15 <= len(secret); i++ {
					if strings.Contains(text, secret[i:i+15]) {
						t.Fatalf("%q has a part of the token in it", text)
					}
				}
			}
		}
	})
}

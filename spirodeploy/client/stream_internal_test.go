package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tmaxmax/go-sse"

	"github.com/spirostack/spirodeploy/internal/streams"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

func TestUnescape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"plain"`: `"plain"`, `"\u0041\/\u007a"`: `"A/z"`, `"\\u0041"`: `"\\u0041"`, `"\u0022\u005c\u001b\u00e4\n"`: `"\u0022\u005c\u001b\u00e4\n"`,
		`\u00`: `\u00`, `\u00zz`: `\u00zz`, `\u0041\`: `A\`, `\`: `\`,
	} {
		if got := string(unescape([]byte(in))); got != want {
			t.Errorf("unescape(%s) = %s, want %s", in, got, want)
		}
	}
}

// FuzzUnescape: a string says the same as before, and what a token may have in
// it is written as it is.
func FuzzUnescape(f *testing.F) {
	for _, seed := range []string{`"\u0041\/\u007a"`, `"\\u0041"`, `"\u0022\u005c\u001b\u00e4\n"`, `"\ud83d\u0041\\\/"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, quoted string) {
		var want, got string
		if json.Unmarshal([]byte(quoted), &want) != nil {
			unescape([]byte(quoted)) // it ends
			return
		}
		written := unescape([]byte(quoted))
		if err := json.Unmarshal(written, &got); err != nil || got != want {
			t.Errorf("%q became %q, %v", quoted, written, err)
		}
		if again := unescape(written); !bytes.Equal(again, written) {
			t.Errorf("%q became %q, and then %q", quoted, written, again)
		}
	})
}

// collect reads the events of a stream, until an error.
func collect(r io.Reader, limit int) (events []rawEvent, err error) {
	for e, readErr := range readEvents(r, limit) {
		if err = readErr; err == nil {
			events = append(events, e)
		}
	}
	return events, err
}

func sameEvents(a, b []rawEvent) bool {
	return slices.EqualFunc(a, b, func(a, b rawEvent) bool { return a.name == b.name && bytes.Equal(a.data, b.data) })
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
		{"event: a\n\nid: 1\n\nretry: 5\n\nother: x\n\ndatax: y\n\n", []string{"a=", "="}},
		{"data: 1\n", nil},
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

// FuzzEvents holds the reader of streams against another one, and against
// itself where the stream comes byte by byte.
func FuzzEvents(f *testing.F) {
	for _, name := range streams.All {
		f.Add(streams.Read(name))
	}
	for _, seed := range []string{"\ufeffdata: x\r\rdata: y\r\n\r\n", "event\nid\ndata\n\n", ":\n\n\n", "data: x", "retry: 1\n\n", "data:\n\x00\n\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := collect(bytes.NewReader(stream), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if slowly, err := collect(iotest.OneByteReader(bytes.NewReader(stream)), 1<<20); err != nil || !sameEvents(got, slowly) {
			t.Errorf("%q: %q, and byte by byte %q, %v", stream, got, slowly, err)
		}
		var want []rawEvent
		for e, err := range sse.Read(bytes.NewReader(stream), &sse.ReadConfig{MaxEventSize: 1 << 20}) {
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, rawEvent{e.Type, []byte(e.Data)})
		}
		if !sameEvents(got, want) {
			t.Errorf("%q: %q, want %q", stream, got, want)
		}
	})
}

// FuzzStream: what a client yields of a stream has no part of its token, and no
// event that is larger than the limit; after an error comes nothing.
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
		s := &Stream{ctx: context.Background(), client: &Client{maxEvent: limit, token: tok}, resp: &http.Response{Body: io.NopCloser(bytes.NewReader(stream))}}
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

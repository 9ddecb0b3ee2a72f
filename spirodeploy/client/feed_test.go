package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
)

// largeResult returns the event of a minion with a result of about 100 KiB.
func largeResult(minion string) string {
	state := `"file_|-conf_|-/etc/app/app.conf_|-managed": {"changes": {}, "comment": "` + minion + `", "result": true, "__run_num__": 0}`
	return "event: highstate-update\ndata: " + `{"minion": "` + minion + `", "result": {"ret": {` + strings.TrimSuffix(strings.Repeat(state+", ", 100<<10/len(state)), ", ") + "}}}\n\n"
}

// streaming serves the answer to a deployment, part by part, and ends it only if the client
// goes away, which ends gone, too.
func streaming(t *testing.T, parts ...string) (url string, gone <-chan struct{}) {
	t.Helper()
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for _, part := range parts {
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
		close(ended)
	}))
	t.Cleanup(server.Close) // it waits for the handler
	return server.URL, ended
}

// TestLargeResults checks the order and the content of large and small events, which the
// client reads while the caller handles those before.
func TestLargeResults(t *testing.T) {
	t.Parallel()
	const minions = 20
	parts := []string{"event: highstate-start\ndata: {\"minions\": []}\n\n"}
	for i := range minions {
		parts = append(parts, largeResult(fmt.Sprint("web", i)), fmt.Sprintf("event: note\ndata: {\"msg\": \"%d\"}\n\n", i))
	}
	parts = append(parts, largeResult("last"), "event: highstate-finish\ndata: {}\n\n")
	began := time.Now()
	url, _ := streaming(t, parts...)
	c := newClient(t, url, "token")
	stream, err := c.Upload(t.Context(), shop(tar))
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	last := began
	var got []string
	for e, err := range stream.Events() { // it ends although the server does not end the answer
		if err != nil {
			t.Fatal(err)
		}
		if e.Time.Before(last) || e.Time.After(time.Now()) {
			t.Errorf("%s arrived at %v, after one at %v", e.Name, e.Time, last)
		}
		last = e.Time
		if e.Name == client.HighstateUpdate {
			r := e.Highstate()
			if len(r.States) < 100 || r.States[0].Comment != e.Minion || e.Brief().All != r.Counts() {
				t.Errorf("%s has %d states, the first is %+v", e.Minion, len(r.States), r.States[0])
			}
		}
		got = append(got, e.Minion+e.Msg)
	}
	want := []string{""}
	for i := range minions {
		want = append(want, fmt.Sprint("web", i), fmt.Sprint(i))
	}
	if got, want := strings.Join(got, " "), strings.Join(append(want, "last", ""), " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCloseWhileReading: a caller may stop after any event. Close then ends reading.
func TestCloseWhileReading(t *testing.T) {
	t.Parallel()
	url, gone := streaming(t, largeResult("web1"))
	c := newClient(t, url, "token")
	stream, err := c.Upload(context.WithoutCancel(t.Context()), shop(tar))
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range stream.Events() {
		if err != nil || e.Minion != "web1" {
			t.Errorf("%+v, %v", e, err)
		}
		break
	}
	if err := stream.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-gone:
	case <-time.After(pace.Hang):
		t.Error("the client still reads")
	}
}

package leak_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spirostack/spirodeploy/internal/dev/streams"
)

// answer makes the bytes of an HTTP answer from the token in the request.
type answer func(token string) string

// echo is a server that repeats what it was sent.
type echo struct {
	*httptest.Server

	mu    sync.Mutex
	heard map[string]bool // tokens, by the method that they came with
}

// newEcho starts a server with TLS that gives these answers; nil is the answer of a good
// server.
func newEcho(t *testing.T, get, post answer) *echo {
	t.Helper()
	if get == nil {
		get = func(string) string { return page(200, "text/plain", "Auth OK") }
	}
	if post == nil {
		post = func(string) string { return page(200, "text/event-stream", string(streams.Read("ok"))) }
	}
	e := &echo{heard: map[string]bool{}}
	e.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a client that breaks off is part of the tests
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		e.mu.Lock()
		e.heard[r.Method+" "+token] = true
		e.mu.Unlock()
		reply := get
		if r.Method == http.MethodPost {
			reply = post
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, reply(token))
		_ = conn.Close()
	}))
	e.Config.ErrorLog = log.New(io.Discard, "", 0)
	e.StartTLS()
	t.Cleanup(e.Close)
	return e
}

// pem returns the server's certificate.
func (e *echo) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw})
}

// got fails the test unless the client sent the token, in the form in which it goes out.
func (e *echo) got(t *testing.T, method string, secrets []string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.heard[method+" "+secrets[len(secrets)-1]] {
		t.Errorf("the server did not hear the token with %s, or in another form than was looked for", method)
	}
}

// page is a whole answer.
func page(status int, contentType, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), contentType, len(body), body)
}

// everyForm returns the token in all forms that the search knows, and in halves.
func everyForm(token string) string {
	texts := []string{"Bearer " + token, token[:len(token)/2], token[len(token)/2:]}
	for _, f := range forms(token) {
		if !slices.Contains(texts, f.text) {
			texts = append(texts, f.text)
		}
	}
	return strings.Join(texts, " ")
}

// object returns a value as JSON.
func object(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps and strings cannot fail
	}
	return string(text)
}

// sse returns an event.
func sse(name, data string) string { return "event: " + name + "\ndata: " + data + "\n\n" }

// stream returns an answer with the events of a deployment, and with more events among
// them.
func stream(events ...string) string {
	return page(200, "text/event-stream", sse("deploy-bundle", `{"msg": "Deploying bundle"}`)+
		sse("highstate-calc", `{"msg": "Calculating"}`)+strings.Join(events, "")+sse("highstate-finish", `{"msg": "Highstate complete"}`))
}

// started returns an event that names minions.
func started(ids ...string) string {
	return sse("highstate-start", object(map[string]any{"msg": "Highstating", "minions": ids}))
}

// reported returns the event of a minion's result.
func reported(id string, ret any) string {
	return sse("highstate-update", object(map[string]any{"minion": id, "msg": id, "result": map[string]any{"ret": ret, "retcode": 2}}))
}

// states returns the return of a highstate with one state that failed.
func states(tag string, entry map[string]any) map[string]any {
	whole := map[string]any{"result": false, "changes": map[string]any{}, "comment": "", "name": "n", "__id__": "i", "__sls__": "s", "__run_num__": 0, "duration": 1.5}
	for key, value := range entry {
		whole[key] = value
	}
	return map[string]any{tag: whole}
}

// escaped returns a JSON string that says every character as \u0041.
func escaped(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, `\u%04x`, text[i])
	}
	return `"` + b.String() + `"`
}

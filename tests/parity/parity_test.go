// Package parity_test compares spirotest with a real SpiroFS: the same requests, good and
// bad, get answers that are equal in status, type, event names and the keys of the
// events' data. If spirotest differs on purpose, the table says so.
package parity_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/internal/dev/salt"
	"github.com/spirostack/spirodeploy/spirodeploy/client"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// side is one of the two servers.
type side struct {
	url      string
	token    func(lifetime time.Duration, projects ...string) string
	deployed func(project, deployment string) bool
}

// answer is the part of an answer that the tests compare.
type answer struct {
	status      int
	contentType string
	text        string   // of an answer that is not a stream
	events      []string // NAME and the keys of the data, sorted
}

// form is a POST.
type form struct {
	auth   func(s side) string
	fields [][2]string
	files  [][2]string // field name and content
	chunks bool        // no Content-Length
}

// tarOf returns a tar of names and contents; a name that ends with / is a directory.
func tarOf(t *testing.T, files ...string) string {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: files[i], Mode: 0o644, Size: int64(len(files[i+1]))}
		if strings.HasSuffix(files[i], "/") {
			h.Typeflag = tar.TypeDir
		}
		must(t, w.WriteHeader(h))
		_, err := io.WriteString(w, files[i+1])
		must(t, err)
	}
	must(t, w.Close())
	return buf.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func zip(t *testing.T, s string) string {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, err := io.WriteString(w, s)
	must(t, err)
	must(t, w.Close())
	return buf.String()
}

// send sends a request to one side.
func (s side) send(t *testing.T, method, path, auth string, f form) answer {
	t.Helper()
	var body io.Reader
	var buf bytes.Buffer
	contentType := ""
	if method == http.MethodPost {
		w := multipart.NewWriter(&buf)
		for _, field := range f.fields {
			must(t, w.WriteField(field[0], field[1]))
		}
		for _, file := range f.files {
			part, err := w.CreateFormFile(file[0], "bundle.tar")
			must(t, err)
			_, err = io.WriteString(part, file[1])
			must(t, err)
		}
		must(t, w.Close())
		contentType = w.FormDataContentType()
		body = &buf
		if f.chunks {
			body = struct{ io.Reader }{&buf} // whose length is not known
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), pace.Hang)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.url, "/")+path, body)
	must(t, err)
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, contentType: resp.Header.Get("Content-Type")}
	if !strings.HasPrefix(a.contentType, "text/event-stream") {
		text, err := io.ReadAll(resp.Body)
		must(t, err)
		a.text = string(text)
		return a
	}
	for e, err := range client.ReadEvents(resp.Body) {
		must(t, err)
		a.events = append(a.events, e.Name+" "+shape(t, e))
	}
	return a
}

// shape returns the keys of an event's data, also those in results. It leaves out the
// tags of states, since they contain names.
func shape(t *testing.T, e client.Event) string {
	t.Helper()
	var data map[string]any
	must(t, json.Unmarshal([]byte(e.Data), &data))
	delete(data, "missing") // of the hardened one; spirotest's minions all answer
	keys := slices.Sorted(maps.Keys(data))
	if result, ok := data["result"].(map[string]any); ok {
		keys = append(keys, "result:"+strings.Join(slices.Sorted(maps.Keys(result)), ","))
		if states, ok := result["ret"].(map[string]any); ok {
			for _, tag := range slices.Sorted(maps.Keys(states)) {
				state, _ := states[tag].(map[string]any)
				if _, newer := state["__state_ran__"]; newer {
					// Salt 3008 says more about a state that did not run than 3005, which
					// spirotest imitates.
					for _, key := range []string{"__state_ran__", "__id__", "name"} {
						delete(state, key)
					}
				}
				keys = append(keys, tag+":"+strings.Join(slices.Sorted(maps.Keys(state)), ",")+fmt.Sprintf("=%v", state["result"]))
			}
		} else {
			keys = append(keys, fmt.Sprintf("ret:%T", result["ret"]))
		}
	}
	return strings.Join(keys, " ")
}

// both starts the two servers, each with the minion web1. The real one is as it was
// published, or hardened by spirofs-compat.
func both(t *testing.T, published bool) (theirs, ours side, scripted *spirotest.Server) {
	t.Helper()
	env, err := salt.Prepare(t.Context(), func(line string) { t.Log(line) })
	if errors.Is(err, salt.ErrNoPython) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	must(t, err)
	master, err := env.Start(t.Context(), salt.Options{Minions: []salt.Minion{{ID: "web1"}}, Published: published, Progress: func(line string) { t.Log(line) }})
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(master.Logs())
		}
		if err := master.Close(); err != nil {
			t.Error(err)
		}
	})
	scripted = spirotest.New(t, spirotest.Options{Minions: []spirotest.Minion{{ID: "web1"}}})
	theirs = side{
		url: master.URL,
		token: func(lifetime time.Duration, projects ...string) string {
			return reveal(lifetime, projects, master.RootToken, master.Token)
		},
		deployed: func(project, deployment string) bool {
			_, err := os.Stat(master.DeploymentDir(project, deployment))
			return err == nil
		},
	}
	ours = side{
		url: scripted.URL(), token: scripted.Token,
		deployed: func(project, deployment string) bool {
			_, ok := scripted.Deployment(project, deployment)
			return ok
		},
	}
	return theirs, ours, scripted
}

// reveal makes a token of the real server, with the arguments of spirotest's method.
func reveal(lifetime time.Duration, projects []string, root func() token.Token, limited func(time.Duration, ...string) token.Token) string {
	if lifetime == 0 && len(projects) == 0 {
		return root().Reveal()
	}
	return limited(lifetime, projects...).Reveal()
}

func bearer(lifetime time.Duration, projects ...string) func(side) string {
	return func(s side) string { return "Bearer " + s.token(lifetime, projects...) }
}

func fixed(auth string) func(side) string { return func(side) string { return auth } }

// TestAnswers sends every kind of request to both.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, published := range map[string]bool{"published": true, "hardened": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answers(t, published)
		})
	}
}

// answers is TestAnswers. Where spirotest differs on purpose from the real server as it
// was published, it does what the hardened one does.
func answers(t *testing.T, published bool) {
	t.Helper()
	theirs, ours, _ := both(t, published)
	good := bearer(time.Hour, "shop")
	states := tarOf(t, "web.sls", "hello: {test.nop: []}\n")
	to := func(project, deployment string) [][2]string {
		return [][2]string{{"project", project}, {"deployment", deployment}}
	}
	bundle := [][2]string{{"bundle", states}}
	for _, tt := range []struct {
		name   string
		method string
		path   string
		form   form
		// deploys names the project and deployment that exist afterwards.
		deploys [2]string
		// onPurpose says that spirotest differs: it does not deploy what it refuses.
		onPurpose string
	}{
		{name: "no token", method: "GET", form: form{auth: fixed("")}},
		{name: "bad token", method: "GET", form: form{auth: fixed("Bearer bogus")}},
		{name: "nothing of base64", method: "GET", form: form{auth: fixed("Bearer ???")}},
		{name: "another scheme", method: "GET", form: form{auth: fixed("Basic dXNlcjpwYXNz")}},
		{name: "no scheme", method: "GET", form: form{auth: fixed("bogus")}},
		{name: "expired", method: "GET", form: form{auth: bearer(-time.Hour, "shop")}},
		{name: "valid", method: "GET", form: form{auth: good}},
		{name: "valid for all", method: "GET", form: form{auth: bearer(0)}},
		{name: "scheme in small letters", method: "GET", form: form{auth: func(s side) string { return "bearer " + s.token(time.Hour, "shop") }}},
		{name: "another path", method: "GET", path: "/other", form: form{auth: good}},
		{name: "another method", method: "PUT", form: form{auth: good}},

		{name: "post, no token", method: "POST", form: form{auth: fixed(""), fields: to("shop", "a"), files: bundle}},
		{name: "post, expired", method: "POST", form: form{auth: bearer(-time.Hour, "shop"), fields: to("shop", "a"), files: bundle}},
		{name: "post, no project", method: "POST", form: form{auth: good, fields: [][2]string{{"deployment", "a"}}, files: bundle}},
		{name: "post, no deployment", method: "POST", form: form{auth: good, fields: [][2]string{{"project", "shop"}}, files: bundle}},
		{name: "post, no bundle", method: "POST", form: form{auth: good, fields: to("shop", "a")}},
		{name: "post, no tar", method: "POST", form: form{auth: good, fields: to("shop", "a"), files: [][2]string{{"bundle", "no tar"}}}},
		{name: "post", method: "POST", form: form{auth: good, fields: to("shop", "b"), files: bundle}, deploys: [2]string{"shop", "b"}},
		{name: "post, in chunks", method: "POST", form: form{auth: good, fields: to("shop", "c"), files: bundle, chunks: true}, deploys: [2]string{"shop", "c"}},
		{name: "post, compressed", method: "POST", form: form{auth: good, fields: to("shop", "d"), files: [][2]string{{"bundle", zip(t, states)}}}, deploys: [2]string{"shop", "d"}},
		{name: "post, white space around names", method: "POST", form: form{auth: good, fields: to(" shop ", "\te "), files: bundle}, deploys: [2]string{"shop", "e"}},
		{name: "post, blank highstate", method: "POST", form: form{auth: good, fields: append(to("shop", "f"), [2]string{"highstate", " "}), files: bundle}, deploys: [2]string{"shop", "f"}},
		{name: "post, does not unpack", method: "POST", form: form{auth: good, fields: to("shop", "g"), files: [][2]string{{"bundle", tarOf(t, "a", "file", "a/b", "below a file")}}}},
		{name: "post, spirotop is no YAML", method: "POST", form: form{auth: good, fields: to("shop", "h"), files: [][2]string{{"bundle", tarOf(t, "spirotop.sls", "a: [\n")}}}},
		{
			name: "post, another project", method: "POST", form: form{auth: bearer(time.Hour, "blog"), fields: to("shop", "i"), files: bundle},
			deploys: [2]string{"shop", "i"}, onPurpose: "the real one answers 403 and deploys all the same",
		},
		{
			name: "post, two bundles", method: "POST", form: form{auth: good, fields: to("shop", "j"), files: [][2]string{{"bundle", states}, {"bundle", states}}},
			deploys: [2]string{"shop", "j"}, onPurpose: "the real one answers 400 and deploys the first",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := tt.path
			if path == "" {
				path = "/"
			}
			want := theirs.send(t, tt.method, path, tt.form.auth(theirs), tt.form)
			got := ours.send(t, tt.method, path, tt.form.auth(ours), tt.form)
			if want.status != got.status || want.contentType != got.contentType || want.text != got.text || !slices.Equal(want.events, got.events) {
				t.Errorf("the real one %+v\nspirotest    %+v", want, got)
			}
			if tt.deploys == [2]string{} {
				return
			}
			if tt.onPurpose != "" {
				if published {
					eventually(t, func() bool { return theirs.deployed(tt.deploys[0], tt.deploys[1]) }, "it is no longer true that "+tt.onPurpose)
				} else if theirs.deployed(tt.deploys[0], tt.deploys[1]) {
					t.Error("the hardened one deployed what it refused")
				}
				if ours.deployed(tt.deploys[0], tt.deploys[1]) {
					t.Error("spirotest deployed what it refused")
				}
				return
			}
			for name, s := range map[string]side{"the real one": theirs, "spirotest": ours} {
				if !s.deployed(tt.deploys[0], tt.deploys[1]) {
					t.Errorf("%s has not deployed %s/%s", name, tt.deploys[0], tt.deploys[1])
				}
			}
		})
	}
}

// eventually waits for what a server does after it has answered.
func eventually(t *testing.T, holds func() bool, otherwise string) {
	t.Helper()
	for end := time.Now().Add(pace.Hang); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Error(otherwise)
}

// TestHighstates compares the events of highstates: of real states, and of scripted ones.
func TestHighstates(t *testing.T) { //nolint:tparallel // one after the other: they share servers
	t.Parallel()
	theirs, ours, scripted := both(t, false)
	const top = "prod: {'web*': [web]}\n"
	for _, tt := range []struct {
		name      string
		sls       string
		highstate string
		result    any
	}{
		{
			"states of every outcome", "good: {test.succeed_with_changes: []}\nsame: {test.succeed_without_changes: []}\n" +
				"bad: {test.fail_without_changes: []}\nafter: {test.nop: [{require: [{test: bad}]}]}\n", "False",
			spirotest.States(
				spirotest.State{SLS: "web", ID: "good", Function: "test.succeed_with_changes", Changes: map[string]any{"a": "b"}},
				spirotest.State{SLS: "web", ID: "same", Function: "test.succeed_without_changes"},
				spirotest.State{SLS: "web", ID: "bad", Function: "test.fail_without_changes", Result: spirotest.Failed},
				spirotest.State{SLS: "web", ID: "after", Function: "test.nop", Result: spirotest.RequisiteFailed},
			),
		},
		{"does not render", "{{ nothing.at_all }}\n", "true", spirotest.NotCompiled("Rendering SLS failed")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scripted.SetMinions(spirotest.Minion{ID: "web1", Result: tt.result}, spirotest.Minion{ID: "db1"})
			f := form{
				fields: [][2]string{{"project", "shop"}, {"deployment", "prod"}, {"highstate", tt.highstate}},
				files:  [][2]string{{"bundle", tarOf(t, "spirotop.sls", top, "web.sls", tt.sls)}},
			}
			want := theirs.send(t, http.MethodPost, "/", "Bearer "+theirs.token(time.Hour, "shop"), f)
			got := ours.send(t, http.MethodPost, "/", "Bearer "+ours.token(time.Hour, "shop"), f)
			if !slices.Equal(want.events, got.events) {
				t.Errorf("the real one\n  %s\nspirotest\n  %s", strings.Join(want.events, "\n  "), strings.Join(got.events, "\n  "))
			}
		})
	}
	t.Run("nobody concerned", func(t *testing.T) {
		f := form{
			fields: [][2]string{{"project", "shop"}, {"deployment", "other"}, {"highstate", "0"}},
			files:  [][2]string{{"bundle", tarOf(t, "spirotop.sls", top)}},
		}
		want := theirs.send(t, http.MethodPost, "/", "Bearer "+theirs.token(time.Hour, "shop"), f)
		got := ours.send(t, http.MethodPost, "/", "Bearer "+ours.token(time.Hour, "shop"), f)
		if !slices.Equal(want.events, got.events) || len(got.events) != 4 {
			t.Errorf("the real one %q\nspirotest    %q", want.events, got.events)
		}
	})
}

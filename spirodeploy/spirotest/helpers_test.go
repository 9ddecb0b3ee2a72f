package spirotest_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

// part is one part of a form; file makes it an uploaded file.
type part struct {
	name, value string
	file        bool
}

// upload is a whole form for a deployment.
func upload(project, deployment, bundle string, more ...part) []part {
	return append([]part{
		{name: "project", value: project},
		{name: "deployment", value: deployment},
		{name: "bundle", value: bundle, file: true},
	}, more...)
}

var highstate = part{name: "highstate", value: "True"}

func encode(tb testing.TB, parts []part) (body []byte, contentType string) {
	tb.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for _, p := range parts {
		var w io.Writer
		var err error
		if p.file {
			w, err = form.CreateFormFile(p.name, "bundle.tar")
		} else {
			w, err = form.CreateFormField(p.name)
		}
		check(tb, err)
		_, err = io.WriteString(w, p.value)
		check(tb, err)
	}
	check(tb, form.Close())
	return b.Bytes(), form.FormDataContentType()
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// client is one with connections of its own, closed when the test ends.
func client(tb testing.TB) *http.Client {
	tb.Helper()
	transport := &http.Transport{}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: pace.Hang}
}

func request(tb testing.TB, method, url, token string, parts []part) *http.Request {
	tb.Helper()
	body, contentType := encode(tb, parts)
	req, err := http.NewRequestWithContext(tb.Context(), method, url, bytes.NewReader(body))
	check(tb, err)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if parts != nil {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

// post deploys and returns the status and the whole body of the answer.
func post(tb testing.TB, srv *spirotest.Server, token string, parts []part) (int, string) {
	tb.Helper()
	return do(tb, client(tb), request(tb, http.MethodPost, srv.URL(), token, parts))
}

func do(tb testing.TB, c *http.Client, req *http.Request) (int, string) {
	tb.Helper()
	resp, err := c.Do(req)
	check(tb, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	check(tb, err)
	return resp.StatusCode, string(body)
}

// deploy deploys with a fresh token and fails the test unless it is accepted.
func deploy(tb testing.TB, srv *spirotest.Server, project, deployment, bundle string, more ...part) string {
	tb.Helper()
	status, body := post(tb, srv, srv.Token(time.Minute, project), upload(project, deployment, bundle, more...))
	if status != http.StatusOK {
		tb.Fatalf("status %d: %s", status, body)
	}
	return body
}

// member is one member of a tar. Without a type it is a regular file, or a
// folder where its name ends in a slash.
type member struct {
	name, content, link string
	kind                byte
	mode                int64
}

var someTime = time.Unix(1_700_000_000, 0)

func makeTar(tb testing.TB, members ...member) string {
	tb.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		h := &tar.Header{
			Name: m.name, Linkname: m.link, Typeflag: m.kind, Mode: m.mode,
			Size: int64(len(m.content)), ModTime: someTime, Format: tar.FormatPAX,
		}
		if m.kind == tar.TypeXGlobalHeader {
			check(tb, w.WriteHeader(&tar.Header{Typeflag: m.kind, PAXRecords: map[string]string{"comment": "commit"}}))
			continue
		}
		if h.Typeflag == 0 && strings.HasSuffix(m.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		check(tb, w.WriteHeader(h))
		_, err := io.WriteString(w, m.content)
		check(tb, err)
	}
	check(tb, w.Close())
	return b.String()
}

// oneFile is a bundle good for tests that do not look at it.
func oneFile(tb testing.TB) string {
	tb.Helper()
	return makeTar(tb, member{name: "app.sls", content: "hello"})
}

// withTop is a bundle that concerns the minions of the given targets.
func withTop(tb testing.TB, deployment string, targets ...string) string {
	tb.Helper()
	top := deployment + ":\n"
	for _, target := range targets {
		top += fmt.Sprintf("  %q: [app]\n", target)
	}
	return makeTar(tb, member{name: "app.sls"}, member{name: "spirotop.sls", content: top})
}

// names are the names of the events of a stream.
func names(stream string) []string {
	var list []string
	for line := range strings.Lines(stream) {
		if name, ok := strings.CutPrefix(line, "event: "); ok {
			list = append(list, strings.TrimSpace(name))
		}
	}
	return list
}

const deployed = "event: deploy-bundle\ndata: {\"msg\": \"Deploying bundle\"}\n\n"

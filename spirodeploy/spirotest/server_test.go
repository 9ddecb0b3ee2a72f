package spirotest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/internal/dev/pace"
	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	bundle := oneFile(t)
	project, deployment := part{name: "project", value: "shop"}, part{name: "deployment", value: "prod"}
	file := part{name: "bundle", value: bundle, file: true}
	tests := []struct {
		name   string
		method string
		path   string
		token  func(*spirotest.Server) string // default: a good one
		parts  []part
		want   int
		body   string // default: the error page of the status
	}{
		{name: "valid token", method: "GET", want: 200, body: "Auth OK"},
		{name: "no token", method: "GET", token: noToken, want: 401},
		{name: "no token for head", method: "HEAD", token: noToken, want: 401},
		{name: "head", method: "HEAD", want: 405},
		{name: "put without a token", method: "PUT", token: noToken, want: 401},
		{name: "put", method: "PUT", want: 405},
		{name: "unknown method", method: "BREW", token: noToken, want: 405},
		{name: "other path", method: "GET", path: "status", want: 404},
		{name: "other path without a token", method: "POST", path: "status", token: noToken, want: 404},

		{name: "deploy", parts: upload("shop", "prod", bundle), want: 200, body: deployed},
		{name: "white space around values", parts: upload(" shop\n", "\tprod ", bundle), want: 200, body: deployed},
		{name: "blank highstate is none", parts: upload("shop", "prod", bundle, part{name: "highstate", value: " \n"}), want: 200, body: deployed},
		{name: "last of several values", parts: append([]part{{name: "project", value: "blog"}}, upload("shop", "prod", bundle)...), want: 200, body: deployed},
		{name: "fields in the query", path: "?project=shop&deployment=prod", parts: []part{file}, want: 200, body: deployed},
		{name: "deploy without a token", token: noToken, parts: upload("shop", "prod", bundle), want: 401},
		{name: "other project", parts: upload("blog", "prod", bundle), want: 403},
		{name: "missing project", parts: []part{deployment, file}, want: 400},
		{name: "missing deployment", parts: []part{project, file}, want: 400},
		{name: "no form", parts: nil, method: "POST", want: 400},
		{name: "missing bundle", parts: []part{project, deployment}, want: 500},
		{name: "missing bundle for another project", parts: []part{{name: "project", value: "blog"}, deployment}, want: 500},
		{name: "bundle as a field", parts: []part{project, deployment, {name: "bundle", value: bundle}}, want: 500},
		{name: "other file", parts: []part{project, deployment, {name: "extra", value: bundle, file: true}}, want: 500},
		{name: "two bundles", parts: append(upload("shop", "prod", bundle), file), want: 400},
		{name: "no tar", parts: upload("shop", "prod", strings.Repeat("no tar", 200)), want: 400},
		{name: "empty bundle", parts: upload("shop", "prod", ""), want: 400},
		{name: "cut tar", parts: upload("shop", "prod", bundle[:514]), want: 400},
		{name: "value that is no text", parts: upload("shop\xff", "prod", bundle), want: 400},
		{name: "empty project", token: rootToken, parts: upload("", "prod", bundle), want: 400},
		{name: "empty deployment", parts: upload("shop", " ", bundle), want: 400},
		{name: "project with a slash", token: rootToken, parts: upload("shop/eu", "prod", bundle), want: 400},
		{name: "deployment above", parts: upload("shop", "..", bundle), want: 400},
		{name: "deployment here", parts: upload("shop", ".", bundle), want: 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := spirotest.New(t, spirotest.Options{})
			if tt.token == nil {
				tt.token = func(s *spirotest.Server) string { return s.Token(time.Minute, "shop") }
			}
			if tt.method == "" {
				tt.method = "POST"
			}
			req := request(t, tt.method, srv.URL()+tt.path, tt.token(srv), tt.parts)
			resp, err := client(t).Do(req)
			check(t, err)
			defer func() { _ = resp.Body.Close() }()
			body, err := io.ReadAll(resp.Body)
			check(t, err)
			if resp.StatusCode != tt.want {
				t.Fatalf("status %d, want %d: %s", resp.StatusCode, tt.want, body)
			}
			want := tt.body
			if want == "" {
				title := fmt.Sprintf("%d: %s", tt.want, http.StatusText(tt.want))
				want = "<html><title>" + title + "</title><body>" + title + "</body></html>"
			}
			if tt.method != "HEAD" && string(body) != want {
				t.Errorf("body %q, want %q", body, want)
			}
			_, ok := srv.Deployment("shop", "prod")
			if wantOK := tt.method == "POST" && tt.want == 200; ok != wantOK {
				t.Errorf("deployed: %t, want %t", ok, wantOK)
			}
			if got := srv.Requests(); len(got) != 1 || got[0].Status != tt.want || got[0].Method != tt.method {
				t.Errorf("requests %+v", got)
			}
		})
	}
}

func noToken(*spirotest.Server) string { return "" }

func rootToken(s *spirotest.Server) string { return s.Token(0) }

func TestHeaders(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	good := srv.Token(0)
	tests := []struct {
		name, method, token, contentType, cache string
		status                                  int
	}{
		{"check", "GET", good, "text/plain", "", 200},
		{"refused", "GET", "", "text/html; charset=UTF-8", "", 401},
		{"stream", "POST", good, "text/event-stream", "no-cache", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var parts []part
			if tt.method == "POST" {
				parts = upload("shop", tt.name, oneFile(t))
			}
			resp, err := client(t).Do(request(t, tt.method, srv.URL(), tt.token, parts))
			check(t, err)
			defer func() { _ = resp.Body.Close() }()
			if resp.StatusCode != tt.status {
				t.Errorf("status %d, want %d", resp.StatusCode, tt.status)
			}
			for name, want := range map[string]string{
				"Content-Type":     tt.contentType,
				"Cache-Control":    tt.cache,
				"Server":           "TornadoServer/4.5.3",
				"Www-Authenticate": "",
			} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestUnauthorizedReadsTheWholeBody(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	bundle := makeTar(t, member{name: "big", content: strings.Repeat("x", 8<<20)})
	status, _ := post(t, srv, "", upload("shop", "prod", bundle))
	if status != http.StatusUnauthorized {
		t.Errorf("status %d, want 401", status)
	}
	got := srv.Requests()
	if len(got) != 1 || got[0].BundleSize != int64(len(bundle)) {
		t.Errorf("requests %+v, want one with a bundle of %d bytes", got, len(bundle))
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	token := srv.Token(0)
	bundle := oneFile(t)
	before := time.Now()
	do(t, client(t), request(t, "GET", srv.URL(), token, nil))
	post(t, srv, token, upload("shop", "prod", bundle, part{name: "highstate", value: "False"}))
	post(t, srv, token, upload("shop", "prod", "no tar"))

	got := srv.Requests()
	if len(got) != 3 {
		t.Fatalf("%d requests, want 3", len(got))
	}
	if got[0].Method != "GET" || got[0].Path != "/" || got[0].Header.Get("Authorization") != "Bearer "+token {
		t.Errorf("first request %+v", got[0])
	}
	r := got[1]
	if r.Project != "shop" || r.Deployment != "prod" || r.Highstate != "False" || r.BundleSize != int64(len(bundle)) || r.Status != 200 {
		t.Errorf("second request %+v", r)
	}
	if r.Time.Before(before) || r.Time.After(time.Now()) {
		t.Errorf("time %v", r.Time)
	}
	if got[2].Status != 400 {
		t.Errorf("third request %+v", got[2])
	}
}

func TestMaxBody(t *testing.T) {
	t.Parallel()
	bundle := makeTar(t, member{name: "big", content: strings.Repeat("x", 1<<20)})
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("chunked %t", chunked), func(t *testing.T) {
			t.Parallel()
			srv := spirotest.New(t, spirotest.Options{MaxBody: 1 << 20})
			req := request(t, "POST", srv.URL(), srv.Token(0), upload("shop", "prod", bundle))
			if chunked {
				req.ContentLength = -1
				req.Body = io.NopCloser(struct{ io.Reader }{req.Body})
			}
			resp, err := client(t).Do(req)
			if err == nil {
				_ = resp.Body.Close()
				t.Fatalf("status %d, want a broken connection", resp.StatusCode)
			}
			if got := srv.Requests(); len(got) != 1 || got[0].Status != 0 {
				t.Errorf("requests %+v, want one with no status", got)
			}
		})
	}
}

func TestAcceptedBodies(t *testing.T) {
	t.Parallel()
	plain := makeTar(t, member{name: "app.sls", content: "hello"})
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err := io.WriteString(w, plain)
	check(t, err)
	check(t, w.Close())
	tests := []struct {
		name, bundle string
		chunked      bool
		expect       bool
	}{
		{name: "plain", bundle: plain},
		{name: "gzip", bundle: zipped.String()},
		{name: "chunked", bundle: plain, chunked: true},
		{name: "expect", bundle: plain, expect: true},
		{name: "no end mark", bundle: plain[:len(plain)-1024]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := spirotest.New(t, spirotest.Options{})
			req := request(t, "POST", srv.URL(), srv.Token(0), upload("shop", "prod", tt.bundle))
			if tt.chunked {
				req.ContentLength = -1
				req.Body = io.NopCloser(struct{ io.Reader }{req.Body})
			}
			if tt.expect {
				req.Header.Set("Expect", "100-continue")
			}
			status, body := do(t, client(t), req)
			if status != 200 || body != deployed {
				t.Fatalf("status %d, body %q", status, body)
			}
			d, _ := srv.Deployment("shop", "prod")
			if got := read(t, d, "app.sls"); got != "hello" {
				t.Errorf("app.sls: %q", got)
			}
		})
	}
}

func TestDamagedForm(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	body, contentType := encode(t, upload("shop", "prod", oneFile(t)))
	req := request(t, "POST", srv.URL(), srv.Token(0), nil)
	req.Header.Set("Content-Type", contentType)
	body = body[:len(body)-30]
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if status, _ := do(t, client(t), req); status != http.StatusBadRequest {
		t.Errorf("status %d, want 400", status)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{TLS: true})
	if !strings.HasPrefix(srv.URL(), "https://127.0.0.1:") || !strings.HasSuffix(srv.URL(), "/") {
		t.Errorf("URL %q", srv.URL())
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(srv.CertPEM()) {
		t.Fatal("no certificate in CertPEM")
	}
	_, port, err := net.SplitHostPort(strings.Trim(strings.TrimPrefix(srv.URL(), "https://"), "/"))
	check(t, err)
	for _, name := range []string{"127.0.0.1", "localhost", "::1"} {
		c := client(t)
		c.Transport = &http.Transport{
			ForceAttemptHTTP2: true,
			TLSClientConfig:   &tls.Config{RootCAs: roots},
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+port)
			},
		}
		t.Cleanup(c.CloseIdleConnections)
		resp, err := c.Do(request(t, "GET", "https://"+net.JoinHostPort(name, port)+"/", srv.Token(0), nil))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || resp.Proto != "HTTP/1.1" {
			t.Errorf("%s: status %d, %s", name, resp.StatusCode, resp.Proto)
		}
	}
	if _, err := client(t).Do(request(t, "GET", srv.URL(), srv.Token(0), nil)); err == nil {
		t.Error("a client that does not trust the certificate got through")
	}
}

func TestPlainHasNoCertificate(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	if got := srv.CertPEM(); got != nil {
		t.Errorf("CertPEM %q, want nil", got)
	}
	if !strings.HasPrefix(srv.URL(), "http://127.0.0.1:") {
		t.Errorf("URL %q", srv.URL())
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{})
	addr := strings.Trim(strings.TrimPrefix(srv.URL(), "http://"), "/")
	second, err := spirotest.Start(spirotest.Options{Addr: addr})
	if err == nil {
		_ = second.Close()
		t.Fatal("two servers on one port")
	}
	if !strings.HasPrefix(err.Error(), "start server: ") {
		t.Errorf("error %q", err)
	}
}

func TestDiscard(t *testing.T) {
	t.Parallel()
	srv := spirotest.New(t, spirotest.Options{Discard: true, Minions: []spirotest.Minion{{ID: "web1"}}})
	stream := deploy(t, srv, "shop", "prod", "no tar at all", highstate)
	want := []string{"deploy-bundle", "highstate-calc", "highstate-start", "highstate-finish"}
	if got := names(stream); !slices.Equal(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	if _, ok := srv.Deployment("shop", "prod"); ok {
		t.Error("something was kept")
	}
	if got := srv.Requests()[0].BundleSize; got != 13 {
		t.Errorf("bundle size %d, want 13", got)
	}
}

// TestClose is not parallel: it counts goroutines.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	srv, err := spirotest.Start(spirotest.Options{Minions: []spirotest.Minion{{ID: "web1", Delay: time.Hour}}})
	check(t, err)
	c := &http.Client{Transport: &http.Transport{}}
	do(t, c, request(t, "GET", srv.URL(), srv.Token(0), nil))
	resp, err := c.Do(request(t, "POST", srv.URL(), srv.Token(0), upload("shop", "prod", withTop(t, "prod", "*"), highstate)))
	check(t, err)
	defer func() { _ = resp.Body.Close() }()
	d, ok := waitFor(srv, "shop", "prod")
	if !ok {
		t.Fatal("not deployed")
	}

	check(t, srv.Close())
	check(t, srv.Close())
	if stream, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("the stream ended as if complete: %q", stream)
	}
	if exists(d.Dir) {
		t.Error("the files are still there")
	}
	c.CloseIdleConnections()
	for end := time.Now().Add(pace.Hang); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if runtime.NumGoroutine() <= before {
			return
		}
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
}

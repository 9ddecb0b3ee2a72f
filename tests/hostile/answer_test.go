package hostile_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// bomb returns compressed zeros: some KiB that unfold to 64 MiB.
func bomb() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.CopyN(w, zeros{}, 64<<20)
	_ = w.Close()
	return b.String()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

const maybe = "may have been deployed anyway"

// TestAnswers: answers, and bodies of errors, that SpiroFS does not send.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const packed = "Content-Encoding: gzip\r\n"
	bomb := bomb()
	test(t, []attack{
		{name: "packed stream", post: whole("200 OK", streamHeader+packed, bomb), status: 6, says: "encoded as"},
		{name: "packed answer", get: whole("200 OK", packed, bomb), status: 5, says: "encoded as"},
		{name: "packed refusal", post: whole("400 Bad Request", packed, bomb), status: 3, says: maybe},
		{name: "packed refusal of the token", get: whole("401 Unauthorized", packed, bomb), status: 3, says: "the token is not valid"},
		{name: "endless refusal", post: without(whole("400 Bad Request", ""), "no "), status: 3, says: maybe},
		{name: "endless failure", post: without(whole("500 Internal Server Error", ""), "<b>"), status: 4, says: maybe},
		{name: "endless bad gateway", post: without(whole("502 Bad Gateway", ""), "x"), status: 6, says: maybe},
		{name: "endless refusal of the token", get: without(whole("401 Unauthorized", ""), "no "), status: 3, says: "the token is not valid"},
		{name: "endless answer", get: without(whole("200 OK", ""), "Auth OK"), status: 5, says: "Auth OK"},
		{name: "endless title", get: without(whole("200 OK", "", "<title>"), "Auth OK"), status: 5, says: "Auth OK"},
		{name: "endless tags", get: without(whole("200 OK", ""), "<"), status: 5, says: "Auth OK"},
	})
}

// TestHeaders: endless headers, and informational answers before the answer.
func TestHeaders(t *testing.T) {
	t.Parallel()
	begin := func(w *wire) { w.print("HTTP/1.1 200 OK\r\n") }
	long := func(w *wire) { begin(w); w.print("X: ", strings.Repeat("x", 10<<20), "\r\n\r\n") }
	many := func(w *wire) { begin(w); w.repeat("X: x\r\n", 2<<20); w.print("\r\n") }
	noEnd := without(begin, "X: x\r\n")
	const header = "the header of the answer"
	attacks := []attack{
		{name: "status line", get: without(func(w *wire) { w.print("HTTP/1.1 200 ") }, "OK"), status: 5, says: header},
		{name: "Location", post: whole("302 Found", "Location: https://"+strings.Repeat("x", 60<<10)+"/\r\n"), status: 3, says: "redirects to"},
		{name: "Content-Type", post: whole("200 OK", "Content-Type: "+strings.Repeat("x", 60<<10)+"\r\n"), status: 6, says: maybe},
		{name: "no HTTP", get: func(w *wire) { w.print("SSH-2.0-OpenSSH_9.6\r\n") }, status: 5, says: "nothing was deployed"},
		{name: "garbage", get: garbage, status: 5, says: "nothing was deployed"},
	}
	for name, header := range map[string]answer{"one long": long, "many small": many, "endless": noEnd} {
		attacks = append(attacks,
			attack{name: name, get: header, status: 5, says: "the header of the answer"},
			attack{name: name + " after the bundle", post: header, status: 6, says: maybe})
	}
	for _, status := range []string{"100 Continue", "102 Processing", "103 Early Hints"} {
		begin := without(func(*wire) {}, "HTTP/1.1 "+status+"\r\n\r\n")
		attacks = append(attacks,
			attack{name: status, get: begin, status: 5, says: "nothing was deployed"},
			attack{name: status + " after the bundle", post: begin, status: 6, says: maybe})
	}
	test(t, attacks)
}

// TestChunks: a body in chunks that lie about themselves.
func TestChunks(t *testing.T) {
	t.Parallel()
	chunked := whole("200 OK", streamHeader+"Transfer-Encoding: chunked\r\n")
	const going = "the deployment may be going on"
	test(t, []attack{
		{name: "size beyond all numbers", post: after(chunked, func(w *wire) { w.print("fffffffffffffffffff\r\n", "data: x\n\n") }), status: 6, says: going},
		{name: "size of exabytes", post: without(after(chunked, func(w *wire) { w.print("7fffffffffffffff\r\n") }), "data: x"), status: 6, says: tooLarge},
		{name: "no size", post: after(chunked, func(w *wire) { w.print("-1\r\nx\r\n") }), status: 6, says: going},
		{name: "size without end", post: without(chunked, "0"), status: 6, says: going},
		{name: "extension without end", post: without(after(chunked, func(w *wire) { w.print("1;") }), "ext;"), status: 6, says: going},
		{name: "extensions around single bytes", post: without(chunked, "1;"+strings.Repeat("e", 2000)+"\r\nx\r\n"), status: 6, says: going},
		{name: "trailer without end", post: without(after(chunked, func(w *wire) { w.print("0\r\n") }), "X: x\r\n"), status: 6, says: going},
		{name: "length that is not kept", post: whole("200 OK", streamHeader+"Content-Length: 999999999999\r\n", "data: x\n\n"), status: 6, says: going},
		{name: "length below zero", post: whole("200 OK", streamHeader+"Content-Length: -5\r\n", "data: x\n\n"), status: 6, says: maybe},
		{name: "two lengths", post: whole("200 OK", streamHeader+"Content-Length: 5\r\nContent-Length: 6\r\n", "data: x\n\n"), status: 6, says: maybe},
	})
}

// TestRedirects: the command follows no redirect, wherever it leads.
func TestRedirects(t *testing.T) {
	t.Parallel()
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	t.Cleanup(certificate.Close)
	config := &tls.Config{Certificates: certificate.TLS.Certificates}
	for name, scheme := range map[string]*tls.Config{"from http": nil, "from https": config} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			other := serve(t, nil, nil, nil)
			try := func(status, to string) {
				t.Run(status+" to "+to, func(t *testing.T) {
					t.Parallel()
					redirect := whole(status, "Location: "+to+"\r\n")
					run(t, serve(t, scheme, redirect, nil).url).check(t, 3, "redirects to")
					s := serve(t, scheme, nil, redirect)
					run(t, s.url).check(t, 3, "redirects to")
					if s.requests.Load() != 2 || other.requests.Load() != 0 {
						t.Errorf("%d requests, want 2, and %d to the other host", s.requests.Load(), other.requests.Load())
					}
				})
			}
			for _, status := range []string{"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"} {
				try(status, other.url)
			}
			for _, to := range []string{"/login", "//" + strings.TrimPrefix(other.url, "http://"), "ftp://127.0.0.1/", "%zz:\t"} {
				try("302 Found", to)
			}
		})
	}
}

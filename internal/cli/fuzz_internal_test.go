package cli

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/atomicfile"
	"github.com/spirostack/spirodeploy/spirodeploy/report/view"
)

// FuzzSplit: what is joined comes apart again, and no value is empty.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"", "a,b", `a\,b,c`, `\`, `,\,,`, `C:\dir,\\,`, "\xff,\x00"} {
		f.Add(seed, "x,y")
	}
	f.Fuzz(func(t *testing.T, s, value string) {
		for _, v := range Split(s) {
			if v == "" {
				t.Errorf("%q has an empty value", s)
			}
		}
		if value == "" || strings.Contains(value, `\,`) || strings.HasSuffix(value, `\`) {
			return // there is no way to write these
		}
		if got := Split(strings.ReplaceAll(value, ",", `\,`)); len(got) != 1 || got[0] != value {
			t.Errorf("%q came back as %q", value, got)
		}
	})
}

// FuzzReports: a report has a view and a place, or an error says which has not.
func FuzzReports(f *testing.F) {
	dir := f.TempDir()
	for _, seed := range []string{"json=-", "json=", "=x", "json", "xml=x", "json=" + dir, "json=" + dir + "/none/x", "json=" + dir + "/x", "json=\x00", "json=\x1b[2J", "json=x=y", "JSON=x", "ndjson=-", "ndjson=x"} {
		f.Add(seed, "json=-")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		files, err := parseReports([]string{one, two}, "")
		stdout := 0
		for _, r := range files {
			if r.path == "" || !slices.Contains(view.Names(), r.format) {
				t.Errorf("%q and %q: a report without a place or a view", one, two)
			}
			if r.path == atomicfile.Stdout {
				stdout++
			}
		}
		if (err == nil) != (len(files) == 2 && stdout < 2) {
			t.Errorf("%q and %q: %d reports, %d to standard output, and %v", one, two, len(files), stdout, err)
		}
	})
}

// FuzzProxy: a proxy is used or refused, never left out in silence, and an error
// does not show the password in it.
func FuzzProxy(f *testing.F) {
	for _, seed := range []string{"", "proxy", "proxy:3128", "http://proxy:3128", "https://user:pass-of-proxy@proxy", "socks5://proxy", "ftp://proxy", "http://", "://", "http://[::1", "\x00", "http://pass-of-proxy@%zz/", "a b", ":80", "//proxy", "http:proxy"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		w := World{Getenv: func(name string) string {
			if name == "HTTPS_PROXY" {
				return value
			}
			return ""
		}}
		choose, err := w.proxy()
		if err != nil {
			if strings.Contains(err.Error(), "pass-of-proxy") {
				t.Errorf("%q: the error is %q", value, err)
			}
			return
		}
		req, reqErr := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://salt.example.org/", nil)
		if reqErr != nil {
			t.Fatal(reqErr)
		}
		u, err := choose(req)
		if err == nil && (u == nil) != (strings.TrimSpace(value) == "") {
			t.Errorf("%q: the proxy is %v", value, u)
		}
	})
}

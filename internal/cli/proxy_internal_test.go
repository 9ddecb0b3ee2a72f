package cli

import (
	"net/http"
	"net/url"
	"testing"
)

// TestChooseProxy: each scheme has its variable, and ALL_PROXY if that is not set.
func TestChooseProxy(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		env         map[string]string
		http, https string
	}{
		"none":                {},
		"both":                {map[string]string{"HTTP_PROXY": "http://a:1", "https_proxy": "http://b:1", "ALL_PROXY": "socks5://c:1"}, "http://a:1", "http://b:1"},
		"all":                 {map[string]string{"all_proxy": "socks5://c:1"}, "socks5://c:1", "socks5://c:1"},
		"http and all":        {map[string]string{"HTTP_PROXY": "http://a:1", "ALL_PROXY": "socks5://c:1"}, "http://a:1", "socks5://c:1"},
		"https and all":       {map[string]string{"HTTPS_PROXY": "http://b:1", "ALL_PROXY": "c:1"}, "http://c:1", "http://b:1"},
		"http alone":          {map[string]string{"HTTP_PROXY": "http://a:1"}, "http://a:1", ""},
		"all, in a CGI":       {map[string]string{"ALL_PROXY": "http://c:1", "REQUEST_METHOD": "GET"}, "http://c:1", "http://c:1"},
		"all, but not for it": {map[string]string{"ALL_PROXY": "http://c:1", "NO_PROXY": ".example"}, "", ""},
	} {
		w, _, _ := worldOf(tt.env)
		choose, err := w.proxy()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for scheme, want := range map[string]string{"http": tt.http, "https": tt.https} {
			got, err := choose(&http.Request{URL: &url.URL{Scheme: scheme, Host: "salt.example:4510"}})
			if err != nil || (got == nil && want != "" || got != nil && got.String() != want) {
				t.Errorf("%s, %s: %v, %v, want %q", name, scheme, got, err, want)
			}
		}
	}
}

package cli

import (
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
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

// TestUnusableAllProxy: what a desktop sets does not stop a run that does not need it, and no
// run goes around it.
func TestUnusableAllProxy(t *testing.T) {
	t.Parallel()
	const all, salt = "socks://127.0.0.1:1080/", "https://salt.example:4510/"
	list := written(t, filepath.Join(t.TempDir(), "targets.yaml"), "- {server: '"+salt+"'}\n- {name: us, server: 'http://us.example/', insecure: true}\n")
	for name, tt := range map[string]struct {
		env    map[string]string
		with   Settings
		refuse bool
	}{
		"another proxy":           {map[string]string{"HTTPS_PROXY": "http://b:1", "SPIRO_URL": salt}, Settings{}, false},
		"needed":                  {map[string]string{"HTTP_PROXY": "http://a:1", "SPIRO_URL": salt}, Settings{}, true},
		"needed by the default":   {nil, Settings{}, true},
		"of the other scheme":     {map[string]string{"HTTPS_PROXY": "http://b:1", "SPIRO_URL": "http://salt.example/"}, Settings{}, true},
		"not for the server":      {map[string]string{"NO_PROXY": ".example", "SPIRO_URL": salt}, Settings{}, false},
		"not for the servers":     {map[string]string{"NO_PROXY": ".example", "SPIRO_URL": "https://x/"}, Settings{Servers: []string{salt, "https://us.example/"}}, false},
		"for one of the servers":  {map[string]string{"NO_PROXY": ".example"}, Settings{Servers: []string{salt, "https://x/"}}, true},
		"not for the list":        {map[string]string{"HTTPS_PROXY": "http://b:1", "HTTP_PROXY": "http://a:1"}, Settings{Targets: list}, false},
		"for one target":          {map[string]string{"HTTPS_PROXY": "http://b:1"}, Settings{Targets: list}, true},
		"another one in the list": {map[string]string{"NO_PROXY": ".example", "SPIRO_URL": "https://x/"}, Settings{Targets: list}, false},
	} {
		env := map[string]string{"all_proxy": all, "SPIRO_TOKEN": "a-token"}
		maps.Copy(env, tt.env)
		w, _, _ := worldOf(env)
		tt.with.Project, tt.with.Deployment = "shop", "prod"
		base, err := w.serverOptions(t.Context(), tt.with)
		if _, _, listErr := w.targets(t.Context(), tt.with, base); err == nil {
			err = listErr
		}
		if (err != nil) != tt.refuse || err != nil && !strings.Contains(err.Error(), "all_proxy: a proxy of this kind cannot be used") {
			t.Errorf("%s: %v", name, err)
		}
	}
	w, _, _ := worldOf(map[string]string{"all_proxy": all, "HTTPS_PROXY": "http://b:1"})
	for plain, refuse := range map[bool]bool{false: false, true: true} {
		if _, _, err := w.registry(t.Context(), Settings{RegistryPlain: plain}, "oci://registry.example/shop:1", nil); (err != nil) != refuse {
			t.Errorf("a registry, plain HTTP %v: %v", plain, err)
		}
	}
	choose, err := w.proxy()
	if err != nil {
		t.Fatal(err)
	}
	if u, err := choose(&http.Request{URL: &url.URL{Scheme: "http", Host: "salt.example"}}); err == nil { // after a redirection
		t.Errorf("a request goes to %v", u)
	}
}

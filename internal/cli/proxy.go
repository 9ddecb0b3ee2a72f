package cli

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/spirostack/spirodeploy/internal/errlist"
	"github.com/spirostack/spirodeploy/internal/peer"
)

// proxy honours HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not, and ALL_PROXY in
// place of each of the first two that is not set, as curl and the first-party client do. A
// value that it cannot use is an error: a run must not go around the proxy.
func (w World) proxy() (func(*http.Request) (*url.URL, error), error) {
	var errs []error
	read := func(name string) string {
		v := w.env(name)
		if v == "" {
			name = strings.ToLower(name)
			v = w.env(name)
		}
		if why := proxyProblem(v); why != "" {
			errs = append(errs, fmt.Errorf("%s: %s", name, why))
			return ""
		}
		return v
	}
	config := httpproxy.Config{
		HTTPProxy: read("HTTP_PROXY"), HTTPSProxy: read("HTTPS_PROXY"),
		NoProxy: cmp.Or(w.env("NO_PROXY"), w.env("no_proxy")),
		CGI:     w.env("REQUEST_METHOD") != "", // a client of a CGI program can set HTTP_PROXY
	}
	if len(errs) == 0 && (config.HTTPProxy == "" || config.HTTPSProxy == "") {
		all := read("ALL_PROXY")
		if config.HTTPProxy == "" {
			config.HTTPProxy, config.CGI = all, false
		}
		config.HTTPSProxy = cmp.Or(config.HTTPSProxy, all)
	}
	choose := config.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return choose(r.URL) }, errlist.Join(errs...)
}

// proxyProblem returns why package httpproxy, which ignores bad values without a word,
// cannot use the URL of a proxy, or "". It repeats nothing of the URL: there may be a
// password in it.
func proxyProblem(v string) string {
	const like = ", such as http://proxy:3128"
	if v == "" {
		return ""
	}
	if scheme, _, ok := strings.Cut(v, ":/"); ok && !strings.HasPrefix(v, scheme+"://") {
		return "it is not the URL of a proxy" + like
	}
	if !strings.Contains(v, "://") {
		v = "http://" + v
	}
	u, err := url.Parse(v)
	switch {
	case strings.ContainsAny(v, "#?"), err == nil && strings.Contains(u.Path, "@"), err != nil && strings.Contains(v, "@"):
		return "it is not the URL of a proxy" + like + "; in a user name or password, #, / and ? are written as %23, %2F and %3F"
	case err != nil || u.Host == "":
		return "it is not the URL of a proxy" + like
	case !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme):
		return "a proxy of this kind cannot be used: its URL begins with http://, https://, socks5:// or socks5h://"
	case u.Port() != "" && !peer.IsPort(u.Port()):
		return "its port is not one of 1 to 65535" + like
	}
	return ""
}

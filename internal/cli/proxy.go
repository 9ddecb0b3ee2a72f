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
// value that it cannot use is an error: a run must not go around the proxy. Desktops set
// ALL_PROXY, also to what nobody here can use, so that it is an error of the requests that
// need it; see [checkProxy].
func (w World) proxy() (func(*http.Request) (*url.URL, error), error) {
	read := func(name string) (string, error) {
		v := w.env(name)
		if v == "" {
			name = strings.ToLower(name)
			v = w.env(name)
		}
		if why := proxyProblem(v); why != "" {
			return "", fmt.Errorf("%s: %s", name, why)
		}
		return v, nil
	}
	plain, plainErr := read("HTTP_PROXY")
	secure, secureErr := read("HTTPS_PROXY")
	all, allErr := read("ALL_PROXY")
	if allErr != nil {
		all = "http://unusable" // it stands for the error
	}
	config := httpproxy.Config{
		HTTPProxy: cmp.Or(plain, all), HTTPSProxy: cmp.Or(secure, all),
		NoProxy: cmp.Or(w.env("NO_PROXY"), w.env("no_proxy")),
		CGI:     plain != "" && w.env("REQUEST_METHOD") != "", // a client of a CGI program can set HTTP_PROXY
	}
	choose := config.ProxyFunc()
	return func(r *http.Request) (*url.URL, error) {
		u, err := choose(r.URL)
		own := map[string]string{"http": plain, "https": secure}[r.URL.Scheme]
		if u != nil && own == "" && allErr != nil {
			return nil, allErr
		}
		return u, err
	}, errlist.Join(plainErr, secureErr)
}

// checkProxy returns why the proxy for a server cannot be used, so that the user learns it
// before the first request.
func checkProxy(choose func(*http.Request) (*url.URL, error), server string) error {
	u, err := url.Parse(server)
	if err != nil {
		return nil //nolint:nilerr // the client says so
	}
	_, err = choose(&http.Request{URL: u})
	return err
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

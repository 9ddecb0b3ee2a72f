package registry_test

import (
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/sanitize"
	"github.com/spirostack/spirodeploy/spirodeploy/registry"
)

var sha = "sha256:" + strings.Repeat("0a", 32)

func TestParse(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]registry.Address{
		"oci://registry.example.com/shop:1.4":              {Host: "registry.example.com", Name: "shop", Tag: "1.4"},
		"oci://registry.example.com:5000/team/shop@" + sha: {Host: "registry.example.com:5000", Name: "team/shop", Digest: digestOf(sha)},
		"oci://localhost/a/b-c/d__e:V1_x.y-z@" + sha:       {Host: "localhost", Name: "a/b-c/d__e", Tag: "V1_x.y-z", Digest: digestOf(sha)},
		"oci://[2001:db8::1]:5000/shop:1":                  {Host: "[2001:db8::1]:5000", Name: "shop", Tag: "1"},
		"oci://192.0.2.7/shop:1":                           {Host: "192.0.2.7", Name: "shop", Tag: "1"},
	} {
		got, err := registry.Parse(s)
		if err != nil || got != want || got.String() != s {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for s, want := range map[string]string{
		"":                                     "does not begin with oci://",
		"registry.example.com/shop:1":          "does not begin with oci://: it should look like oci://registry.example.com/shop:1.4",
		"https://registry.example.com/shop:1":  "another scheme than oci://",
		"OCI://registry.example.com/shop:1":    "another scheme than oci://",
		"oci://":                               "names no host",
		"oci:///shop:1":                        "names no host",
		"oci://registry.example.com":           "names no repository",
		"oci://registry.example.com/":          "names no repository",
		"oci://me:hunter2@example.com/shop:1":  "has a user name or password in it",
		"oci://me:hun/ter2@example.com/shop:1": "port is not one",
		"oci://registry.example.com/shop":      "neither a tag nor a digest",
		"oci://registry.example.com/shop:":     "its tag is not one",
		"oci://registry.example.com/shop:1:2":  "its tag is not one",
		"oci://registry.example.com/shop:-1":   "its tag is not one",
		"oci://registry.example.com/shop:" + strings.Repeat("a", 129):        "its tag is not one",
		"oci://registry.example.com/shop@":                                   "its digest is not",
		"oci://registry.example.com/shop@sha256:0A":                          "its digest is not",
		"oci://registry.example.com/shop@" + strings.ToUpper(sha):            "its digest is not",
		"oci://registry.example.com/shop@sha512:" + strings.Repeat("0a", 64): "its digest is not",
		"oci://registry.example.com/Shop:1":                                  "upper case in it",
		"oci://Registry.example.com/shop:1":                                  "host has upper case",
		"oci://registry.example.com/shop//web:1":                             "the name of its repository is not one",
		"oci://registry.example.com/../shop:1":                               "the name of its repository is not one",
		"oci://registry.example.com/" + strings.Repeat("a", 250) + ":1":      "255 characters",
		"oci://registry.example.com/shop:1?x=y":                              "query or fragment",
		"oci://registry.example.com/shop:1#x":                                "query or fragment",
		"oci://registry.example.com:0/shop:1":                                "port is not one",
		"oci://registry.example.com:65536/shop:1":                            "port is not one",
		"oci://registry.example.com:/shop:1":                                 "port is not one",
		"oci://-example.com/shop:1":                                          "its host is not the name of one",
		"oci://a b/shop:1":                                                   "its host is not the name of one",
		"oci://2001:db8::1/shop:1":                                           "write an IPv6 address in [ ]",
		"oci://[2001:db8::1/shop:1":                                          "no IPv6 address",
		"oci://[fe80::1%25eth0]/shop:1":                                      "no IPv6 address",
		"oci://[192.0.2.1]/shop:1":                                           "no IPv6 address",
		"oci://registry.example.com/" + strings.Repeat("a/", 600) + "b:1":    "too long",
	} {
		_, err := registry.Parse(s)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "address of a bundle in a registry: ") {
			t.Errorf("%s: %v, want %s", s, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v tells the password", s, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"oci://registry.example.com/shop:1.4", "oci://[::1]:5000/a/b@" + sha, "oci://a:b@c/d:e", "oci://h/n:t@" + sha, "oci://h:1/n:\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := registry.Parse(s)
		if err != nil {
			if sanitize.Line(err.Error()) != err.Error() || len(err.Error()) > 400 {
				t.Errorf("%q: %q is not harmless", s, err)
			}
			return
		}
		if a.String() != s || strings.ContainsAny(a.Host, "@/?#%") || a.Tag == "" && a.Digest == "" {
			t.Errorf("%q is taken as %+v", s, a)
		}
	})
}

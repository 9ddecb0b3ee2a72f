package leak_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestSearch: a search that finds nothing proves nothing, so this test shows it leaks.
func TestSearch(t *testing.T) {
	t.Parallel()
	for kind, secret := range map[string]string{"opaque": opaque(), "awkward": awkward(), "macaroon": macaroon(t)} {
		std, safe := base64.StdEncoding.EncodeToString, base64.URLEncoding.EncodeToString
		for name, text := range map[string]string{
			"whole":                      secret,
			"first half":                 secret[:len(secret)/2],
			"second half":                secret[len(secret)/2:],
			"base64":                     std([]byte(secret)),
			"URL-safe base64":            safe([]byte(secret)),
			"base64 without padding":     strings.TrimRight(std([]byte(secret)), "="),
			"base64 of a header":         std([]byte("Authorization: Bearer " + secret)),
			"base64 after one byte":      std([]byte("x" + secret + "y")),
			"base64 after two bytes":     safe([]byte("xx" + secret + "yy")),
			"base64 of a half":           std([]byte(secret[:len(secret)/2])),
			"hex":                        fmt.Sprintf("%x", secret),
			"upper case hex":             fmt.Sprintf("%X", secret),
			"percent-encoded":            url.QueryEscape(secret),
			"percent-encoded, each byte": percent(secret),
			"quoted":                     fmt.Sprintf("%q", secret),
			"in JSON":                    inJSON(secret),
			"lower case":                 strings.ToLower(secret),
		} {
			for _, around := range []string{"", "é "} {
				if len(leaks([]byte(around+text+around), "another-secret-of-some-length", secret)) == 0 {
					t.Errorf("%s, %s: not found", kind, name)
				}
			}
		}
		for at := 0; at+window <= len(secret); at++ {
			if len(leaks([]byte("..."+secret[at:at+window]+"..."), secret)) != 1 {
				t.Errorf("%s: the window at %d is not found", kind, at)
			}
		}
	}
}

// TestSearchIsSilent: the search finds nothing in clean text, and does not show what it
// finds.
func TestSearchIsSilent(t *testing.T) {
	t.Parallel()
	secret := opaque()
	for _, text := range []string{"", "short", "the token is [redacted]", secret[:window-1] + " " + secret[window-1:2*window-2], opaque()[5:]} {
		if found := leaks([]byte(text), secret); len(found) > 0 {
			t.Errorf("found %q", found)
		}
	}
	found := leaks(bytes.Repeat([]byte(secret+"\n"), 2), secret)
	if len(found) != 2 || !strings.Contains(found[1], fmt.Sprintf("characters 0 to %d of %d, at offset %d ", len(secret), len(secret), len(secret)+1)) {
		t.Errorf("found %q", found)
	}
	if slices.ContainsFunc(found, func(f string) bool { return len(leaks([]byte(f), secret)) > 0 }) {
		t.Error("the search shows what it finds")
	}
}

package leak_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
)

// window is the number of bytes of a token in a row that are a leak.
const window = 15

// form is a way to write a secret.
type form struct {
	name, text string
	window     int // the number of characters that are a leak
}

// forms returns the ways to write a secret that the search knows. Base64 has three, since
// a secret may begin at any place in a group of three bytes: "Bearer TOKEN" looks
// different from TOKEN.
func forms(secret string) []form {
	all := []form{
		{"as it is", secret, window},
		{"lower case", strings.ToLower(secret), window},
		{"upper case", strings.ToUpper(secret), window},
		{"query", url.QueryEscape(secret), window},
		{"path", url.PathEscape(secret), window},
		{"JSON", inJSON(secret), window},
		{"HTML", html.EscapeString(secret), window},
		{"hex", hex.EncodeToString([]byte(secret)), 2 * window},
		{"upper case hex", strings.ToUpper(hex.EncodeToString([]byte(secret))), 2 * window},
		{"percent", percent(secret), 3 * window},
	}
	for skip := range 3 {
		// The end of a group that is not full depends on what follows.
		whole := secret[skip : len(secret)-(len(secret)-skip)%3]
		all = append(all,
			form{fmt.Sprintf("base64 from byte %d", skip), base64.RawStdEncoding.EncodeToString([]byte(whole)), window},
			form{fmt.Sprintf("URL-safe base64 from byte %d", skip), base64.RawURLEncoding.EncodeToString([]byte(whole)), window},
		)
	}
	return all
}

// percent writes every byte as %41.
func percent(secret string) string {
	var b strings.Builder
	for i := range len(secret) {
		fmt.Fprintf(&b, "%%%02X", secret[i])
	}
	return b.String()
}

// inJSON writes what stands between the quotes.
func inJSON(secret string) string {
	text, err := json.Marshal(secret)
	if err != nil {
		panic(err) // a string cannot fail
	}
	return string(text[1 : len(text)-1])
}

// part is where a window is in a form.
type part struct {
	secret int // its number
	form   form
	at     int
}

// search finds secrets, and every part of them that is as long as the window.
type search struct {
	windows map[string]part
	begins  [1 << 16]bool // whether a window begins with these two bytes
}

func newSearch(secrets ...string) *search {
	s := &search{windows: map[string]part{}}
	for i, secret := range secrets {
		for _, f := range forms(secret) {
			for at := 0; at+window <= len(f.text); at++ {
				w := f.text[at : at+window]
				if _, known := s.windows[w]; !known {
					s.windows[w] = part{i, f, at}
				}
				s.begins[uint16(w[0])<<8|uint16(w[1])] = true
			}
		}
	}
	return s
}

// in returns the places of secrets in a text, without showing them.
func (s *search) in(haystack []byte) []string {
	var found []string
	for i := 0; i+window <= len(haystack); i++ {
		if !s.begins[uint16(haystack[i])<<8|uint16(haystack[i+1])] {
			continue
		}
		p, ok := s.windows[string(haystack[i:i+window])]
		if !ok {
			continue
		}
		n := window
		for i+n < len(haystack) && p.at+n < len(p.form.text) && haystack[i+n] == p.form.text[p.at+n] {
			n++
		}
		if n < p.form.window {
			continue
		}
		found = append(found, fmt.Sprintf("token %d of %d characters, %s: characters %d to %d of %d, at offset %d of %d",
			p.secret+1, len(p.form.text), p.form.name, p.at, p.at+n, len(p.form.text), i, len(haystack)))
		i += n - 1
	}
	return found
}

// leaks returns which forms of which secrets are in a text, and where. It shows no part
// of them, since many people read the output of a failed test.
func leaks(haystack []byte, secrets ...string) []string { return newSearch(secrets...).in(haystack) }

package token_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"gopkg.in/macaroon.v2"

	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// macaroonOf is a token with these caveats, serialized as the server does.
func macaroonOf(t *testing.T, caveats ...string) token.Token {
	t.Helper()
	m, err := macaroon.New([]byte("key"), []byte("id"), "", macaroon.V1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range caveats {
		if err := m.AddFirstPartyCaveat([]byte(c)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, base64.RawURLEncoding.EncodeToString(b))
}

func TestRights(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		caveats []string
		want    string
		allows  string // of the projects shop, blog and wiki
	}{
		{nil, "for every project, never expires", "shop blog wiki"},
		{[]string{`{"not_before": 1000}`}, "for every project, valid from 1970-01-01T00:16:40Z, never expires", "shop blog wiki"},
		{[]string{`{"project_allow": ["shop", "blog"], "not_after": 2000.5}`}, "for shop, blog, expires 1970-01-01T00:33:20Z", "shop blog"},
		{[]string{`{"project_allow": ["shop", "blog"]}`, `{"project_allow": ["blog", "wiki"]}`}, "for blog, never expires", "blog"},
		{[]string{`{"project_allow": ["shop"]}`, `{"project_allow": ["blog"]}`}, "for no project, never expires", ""},
		{[]string{`{"project_deny": ["shop"]}`}, "for every project, not for shop, never expires", "blog wiki"},
		{[]string{`{"not_before": 10, "not_after": 100}`, `{"not_before": 5, "not_after": 50}`}, "for every project, valid from 1970-01-01T00:00:10Z, expires 1970-01-01T00:00:50Z", "shop blog wiki"},
		{[]string{`{}`}, "for every project, never expires", "shop blog wiki"},
	} {
		rights, err := macaroonOf(t, tt.caveats...).Rights()
		if err != nil || rights.String() != tt.want {
			t.Errorf("%q: %q, %v, want %q", tt.caveats, rights, err, tt.want)
		}
		var allowed []string
		for _, p := range []string{"shop", "blog", "wiki"} {
			if rights.Allows(p) {
				allowed = append(allowed, p)
			}
		}
		if got := strings.Join(allowed, " "); got != tt.allows {
			t.Errorf("%q allows %s, want %s", tt.caveats, got, tt.allows)
		}
	}
}

func TestOpaque(t *testing.T) {
	t.Parallel()
	for _, tok := range []token.Token{
		parse(t, "no.base64"), parse(t, "bm8gbWFjYXJvb24"), {},
		macaroonOf(t, "no JSON"), macaroonOf(t, `{"unknown": 1}`), macaroonOf(t, `{} {}`), macaroonOf(t, `{"not_after": "soon"}`),
	} {
		if _, err := tok.Rights(); !errors.Is(err, token.ErrOpaque) {
			t.Errorf("error %v, want ErrOpaque", err)
		}
	}
}

func FuzzRights(f *testing.F) {
	f.Add("MDAwZWxvY2F0aW9uIAowMDEwaWRlbnRpZmllciBpZAo")
	f.Add(strings.Repeat("A", 1000))
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := token.Parse(s)
		if err != nil {
			t.Skip()
		}
		r, err := tok.Rights()
		if err == nil && r.NotAfter.After(time.Now()) && r.String() == "" {
			t.Error("rights without words")
		}
	})
}

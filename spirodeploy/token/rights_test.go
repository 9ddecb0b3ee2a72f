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
		{[]string{`{"project_allow": ["shop", "x\n::error::y\u001b[31m"]}`}, `for shop, x\n::error::y\x1b[31m, never expires`, "shop"},
		{[]string{`{"not_after": 1e300}`}, "for every project, expires 5138-11-16T09:46:40Z", "shop blog wiki"},
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

// TestAlphabets reads and narrows a token in either alphabet of base64, as the server does.
func TestAlphabets(t *testing.T) {
	t.Parallel()
	tok := macaroonOf(t, `{"project_allow": ["shop?", "shop>"]}`, `{"project_deny": ["~~~"]}`)
	std := strings.NewReplacer("-", "+", "_", "/").Replace(tok.Reveal())
	if std == tok.Reveal() {
		t.Fatal("the token is the same in both")
	}
	for _, text := range []string{std, std + "=="} {
		narrow, err := parse(t, text).Narrow(time.Time{}, "shop?")
		rights, rightsErr := narrow.Rights()
		if err != nil || rightsErr != nil || rights.String() != "for shop?, not for ~~~, never expires" {
			t.Errorf("%v, %v, %v", rights, err, rightsErr)
		}
	}
}

func TestNarrow(t *testing.T) {
	t.Parallel()
	full := macaroonOf(t, `{"project_allow": ["shop", "blog"], "not_after": 4000000000}`)
	soon := time.Unix(2_000_000_000, 0)
	for _, tt := range []struct {
		end      time.Time
		projects []string
		want     string
	}{
		{time.Time{}, []string{"shop"}, "for shop, expires 2096-10-02T07:06:40Z"},
		{soon, nil, "for shop, blog, expires 2033-05-18T03:33:20Z"},
		{soon, []string{"blog", "wiki"}, "for blog, expires 2033-05-18T03:33:20Z"},
		{time.Unix(4_000_000_001, 0), []string{"wiki"}, "for no project, expires 2096-10-02T07:06:40Z"},
	} {
		narrow, err := full.Narrow(tt.end, tt.projects...)
		if err != nil {
			t.Fatal(err)
		}
		rights, err := narrow.Rights()
		if err != nil || rights.String() != tt.want {
			t.Errorf("narrowed to %s, %s: it is %s, %v; want %s", tt.end, tt.projects, rights, err, tt.want)
		}
		if narrow.Reveal() == full.Reveal() {
			t.Error("nothing was narrowed")
		}
	}
	opaque := parse(t, "no-macaroon-at-all")
	if same, err := opaque.Narrow(soon, "shop"); !errors.Is(err, token.ErrOpaque) || same.Reveal() != opaque.Reveal() {
		t.Errorf("an opaque token became another one: %v", err)
	}
}

func TestCheckRights(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	for _, tt := range []struct {
		caveat, says string
	}{
		{`{"project_allow": ["shop"], "not_before": 999999, "not_after": 1000001}`, ""},
		{`{"not_before": 1000200, "not_after": 1000201}`, ""}, // clocks differ
		{`{"not_after": 999800}`, ""},
		{`{"not_after": 999000}`, "has expired, on 1970-01-12T13:30:00Z, 16 min 40 s ago"},
		{`{"not_before": 1001000}`, "not valid yet"},
		{`{"project_allow": ["blog"]}`, "not for the project shop but for blog"},
		{`{"project_deny": ["shop"]}`, "not for the project shop"},
	} {
		rights, err := macaroonOf(t, tt.caveat).Rights()
		if err != nil {
			t.Fatal(err)
		}
		err = rights.Check("shop", now)
		if (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.caveat, err, tt.says)
		}
	}
}

func TestOpaque(t *testing.T) {
	t.Parallel()
	for _, tok := range []token.Token{
		parse(t, "no.base64"), parse(t, "bm8gbWFjYXJvb24"), {},
		macaroonOf(t, "no JSON"), macaroonOf(t, `{"unknown": 1}`), macaroonOf(t, `{} {}`), macaroonOf(t, `{}}`), macaroonOf(t, `null`), macaroonOf(t, `[]`),
		macaroonOf(t, `{"Project_Allow": ["shop"]}`), macaroonOf(t, `{"project_allow": ["shop"], "PROJECT_ALLOW": ["blog"]}`), macaroonOf(t, `{"project_allow": null}`), macaroonOf(t, `{"not_after": "soon"}`),
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

package token_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/macaroon.v2"

	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// seed returns a token with these caveats.
func seed(f *testing.F, caveats ...string) string {
	f.Helper()
	m, err := macaroon.New([]byte("key"), []byte("id"), "", macaroon.V1)
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range caveats {
		if err := m.AddFirstPartyCaveat([]byte(c)); err != nil {
			f.Fatal(err)
		}
	}
	b, err := m.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// FuzzNarrow: a token that can be read can still be read when it is
// narrowed, and allows nothing then that it did not before.
func FuzzNarrow(f *testing.F) {
	for _, caveats := range [][]string{
		nil, {`{"project_allow": ["shop", "blog"]}`}, {`{"project_deny": ["shop"]}`, `{"not_after": 1e300}`},
		{`{"not_before": -1e300, "not_after": 0}`, `{"project_allow": []}`}, {`{"project_allow": null}`}, {`{}`},
	} {
		f.Add(seed(f, caveats...), "shop", "blog")
	}
	f.Add("MDAwZWxvY2F0aW9uIAowMDEwaWRlbnRpZmllciBpZAo", "", "\xff")
	f.Add(strings.Repeat("A", 1000)+"==", "a\x00b", "shop")
	f.Fuzz(func(t *testing.T, s, project, other string) {
		end := time.Unix(int64(len(s)), 0)
		tok, err := token.Parse(s)
		if err != nil {
			if len(s) >= 8 && strings.Contains(err.Error(), s) {
				t.Errorf("the error repeats %q", s)
			}
			return
		}
		before, err := tok.Rights()
		if err != nil {
			if narrow, err := tok.Narrow(end, project); err == nil {
				t.Errorf("a token that cannot be read became %q", narrow.Reveal())
			}
			return
		}
		narrow, err := tok.Narrow(end, project)
		if err != nil {
			return // a name of 64 KiB
		}
		after, err := narrow.Rights()
		if err != nil {
			t.Fatalf("narrowed, it cannot be read: %v", err)
		}
		if after.NotAfter.After(end) || !before.NotAfter.IsZero() && after.NotAfter.After(before.NotAfter) || !after.NotBefore.Equal(before.NotBefore) {
			t.Errorf("its times changed from %v to %v", before, after)
		}
		for _, p := range slices.Concat([]string{project, other, ""}, before.Allow, before.Deny) {
			if after.Allows(p) && (!before.Allows(p) || p != strings.ToValidUTF8(project, "\ufffd") && p != project) {
				t.Errorf("narrowed to %q, it allows %q", project, p)
			}
		}
		if before.Allows(project) && strings.ToValidUTF8(project, "") == project && !after.Allows(project) {
			t.Errorf("narrowed to %q, it does not allow that", project)
		}
	})
}

// FuzzRedact: of a token, or of its base64, no 15 characters in a row stay,
// wherever a server puts them.
func FuzzRedact(f *testing.F) {
	f.Add("MDAxY2xvY2F0aW9uIGh0dHBzOi8vdG9rZW4", "you said ", ".", 3, 20, byte(0))
	f.Add("aabaabbbaababbaabbabababb", "aaba", "aab", 0, 32, byte(1))
	f.Add("abcdefghabcdefgzabcdefyz", "bc", "ab", 1, 17, byte(2))
	f.Add("00000000", "0000", "00000", 0, 9, byte(0))
	f.Add("short7b", "", "", 0, 7, byte(0))
	f.Add("[redacted][redacted]", "[redac", "ted]", 0, 20, byte(0))
	f.Fuzz(func(t *testing.T, secret, before, after string, from, to int, form byte) {
		tok, err := token.Parse(secret)
		if err != nil || len(secret) > 2000 {
			return
		}
		secret = tok.Reveal()
		if repeats(secret) {
			return
		}
		from = max(0, min(from, len(secret)))
		to = max(from, min(to, len(secret)))
		part := secret[from:to]
		written := []string{part, base64.StdEncoding.EncodeToString([]byte(part)), base64.URLEncoding.EncodeToString([]byte(part))}[form%3]
		got := tok.Redact(before + written + after)
		rest := strings.Split(got, "[redacted]")
		if len(secret) < 15 {
			if len(secret) >= 8 && slices.ContainsFunc(rest, func(s string) bool { return strings.Contains(s, secret) }) {
				t.Errorf("%q still has %q in it", got, secret)
			}
			return
		}
		for _, whole := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte(secret))} {
			for i := 0; i+15 <= len(whole); i++ {
				if slices.ContainsFunc(rest, func(s string) bool { return strings.Contains(s, whole[i:i+15]) }) {
					t.Fatalf("%q still has %q in it", got, whole[i:i+15])
				}
			}
		}
	})
}

// repeats reports whether a token has the same eight bytes in several places. Of
// such a one, parts may be missed; random ones are not like that.
func repeats(secret string) bool {
	secret = strings.ToLower(secret)
	for i := range max(0, len(secret)-8) {
		if strings.Contains(secret[i+1:], secret[i:i+8]) {
			return true
		}
	}
	return false
}

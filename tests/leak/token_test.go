package leak_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

// opaque returns a token that only its server can read. It is longer than a label of a
// host name, so that nothing ever asks a resolver for it.
func opaque() string { return "MARK-" + rand.Text() + "-" + rand.Text() + "-" + rand.Text() }

// awkward returns an opaque token of characters that JSON, HTML, URLs and patterns
// escape.
func awkward() string {
	var b strings.Builder
	b.WriteString("MARK")
	for _, odd := range []string{`"`, `\<&>'`, "%41+/=?", "#[*]", "{$}:;,", "|~`^"} {
		b.WriteString(odd + rand.Text()[:16])
	}
	return b.String()
}

// macaroon returns a genuine token for the project shop, of a server of its own.
func macaroon(t *testing.T) string {
	t.Helper()
	return spirotest.New(t, spirotest.Options{}).Token(time.Hour, "shop")
}

// parse returns the token as a value of the library.
func parse(t *testing.T, secret string) token.Token {
	t.Helper()
	tok, err := token.Parse(secret)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// sent returns the token as it was given, and also as it goes out for the project shop if
// that differs.
func sent(t *testing.T, secret string) []string {
	t.Helper()
	narrowed, err := parse(t, secret).Narrow(time.Time{}, "shop")
	if err != nil {
		return []string{secret}
	}
	return []string{secret, narrowed.Reveal()}
}

// notYet adds to a genuine token that it is valid only from tomorrow, as its holder can:
// one more packet, and a new signature that is keyed with the old one.
func notYet(t *testing.T, secret string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	const signaturePacket = 4 + len("signature ") + sha256.Size + 1
	if err != nil || len(raw) < signaturePacket {
		t.Fatal("the token is not a macaroon")
	}
	body, old := raw[:len(raw)-signaturePacket], raw[len(raw)-1-sha256.Size:len(raw)-1]
	condition := fmt.Sprintf(`{"not_before": %d}`, time.Now().Add(24*time.Hour).Unix())
	mac := hmac.New(sha256.New, old)
	mac.Write([]byte(condition))
	for _, packet := range []string{"cid " + condition, "signature " + string(mac.Sum(nil))} {
		size := binary.BigEndian.AppendUint16(nil, uint16(len(packet)+5))
		body = append(body, hex.EncodeToString(size)+packet+"\n"...)
	}
	return strings.TrimRight(base64.URLEncoding.EncodeToString(body), "=")
}

// own returns the parts of tokens that no other token has. All macaroons begin in the
// same way, and have the same words about projects. Only the identifier at the beginning
// and the signature at the end are unique.
func own(secrets []string) []string {
	var parts []string
	for _, s := range secrets {
		if len(s) > 200 {
			parts = append(parts, s[40:64], s[len(s)-40:])
		} else {
			parts = append(parts, s)
		}
	}
	return parts
}

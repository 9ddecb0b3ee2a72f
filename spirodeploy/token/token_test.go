package token_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

const secret = "MDAxY2xvY2F0aW9uX3NlY3JldF9tYXJrZXI"

func parse(t *testing.T, s string) token.Token {
	t.Helper()
	tok, err := token.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestPrintsRedacted(t *testing.T) {
	t.Parallel()
	tok := parse(t, " "+secret+"\n")
	type hidden struct{ tok token.Token } // fmt cannot call methods of an unexported field
	type shown struct {
		Tok *token.Token
		Any any
	}
	var out bytes.Buffer
	values := []any{tok, &tok, []token.Token{tok}, map[string]token.Token{"a": tok}, hidden{tok}, &hidden{tok}, shown{&tok, tok}}
	for _, v := range values {
		for _, verb := range "vsqxXdtUcebop" {
			for _, flags := range []string{"", "+", "#", " ", "0", "10", "-40."} {
				fmt.Fprintf(&out, "%"+flags+string(verb)+"\n", v)
			}
		}
		fmt.Fprintln(&out, v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		if b, err := xml.Marshal(v); err == nil {
			out.Write(b)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "token", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "token", v)
		fmt.Fprintln(&out, fmt.Errorf("wrapped: %v", v))
	}
	for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), secret[:12], secret[20:], base64.StdEncoding.EncodeToString([]byte(secret))} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the output shows the token as %d bytes of another form", len(form))
		}
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Error("nothing was printed at all")
	}
	if tok.Reveal() != secret {
		t.Error("Reveal does not return the token without white space")
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", " \n\t"} {
		if _, err := token.Parse(s); !errors.Is(err, token.ErrNone) {
			t.Errorf("Parse(%q): %v, want ErrNone", s, err)
		}
	}
	for _, s := range []string{"ab cd", "ab\ncd", "ab\x00cd", "abcdé", "ab\x7f"} {
		_, err := token.Parse(s)
		if err == nil || strings.Contains(err.Error(), s[:3]) {
			t.Errorf("Parse(%q): %v, want an error that does not repeat it", s, err)
		}
	}
	for _, s := range []string{`"` + secret + `"`, "'" + secret + "'\n"} {
		if _, err := token.Parse(s); err == nil || !strings.Contains(err.Error(), "in quotation marks: leave them out") {
			t.Errorf("a token in quotation marks: %v", err)
		}
	}
	if zero := (token.Token{}); !zero.IsZero() || zero.String() != "" || zero.Reveal() != "" {
		t.Error("the zero value is a token")
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var little, big strings.Builder
	for _, unit := range utf16.Encode([]rune("\ufeff" + secret + "\r\n")) {
		little.Write([]byte{byte(unit), byte(unit >> 8)})
		big.Write([]byte{byte(unit >> 8), byte(unit)})
	}
	for _, content := range []string{secret, secret + "\n", "\ufeff" + secret + "\r\n", little.String(), big.String(), little.String()[:little.Len()-1]} {
		tok, err := token.ReadFile(write("good", content))
		if err != nil || tok.Reveal() != secret {
			t.Errorf("ReadFile of %d bytes: %v", len(content), err)
		}
	}
	for name, want := range map[string]string{
		write("mark", "\xff\xfe"):                    "no token",
		write("empty", "\n"):                         "no token",
		write("large", strings.Repeat("x", 100_000)): "larger than any token",
		filepath.Join(dir, "missing"):                "no such file",
		dir:                                          "is a directory",
	} {
		_, err := token.ReadFile(name)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), filepath.Base(name)) {
			t.Errorf("ReadFile(%s): %v, want %q and the file's name", filepath.Base(name), err, want)
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	tok := parse(t, secret)
	in := "got Bearer " + secret + ", that is " + base64.StdEncoding.EncodeToString([]byte(secret)) + "!"
	if got, want := tok.Redact(in), "got Bearer [redacted], that is [redacted]!"; got != want {
		t.Errorf("Redact = %q, want %q", got, want)
	}
	for from := range len(secret) - 15 {
		for pad := range 9 {
			part := strings.Repeat(".", pad) + secret[from:from+15] + ".!"
			if got, want := tok.Redact(part), strings.Repeat(".", pad)+"[redacted].!"; got != want {
				t.Fatalf("Redact of a part = %q, want %q", got, want)
			}
		}
	}
	for name, in := range map[string]string{
		"halves":         "a " + secret[:17] + "<br/>" + secret[17:] + " b",
		"half of base64": base64.StdEncoding.EncodeToString([]byte(secret))[5:25],
		"twice":          strings.Repeat(secret+" ", 3),
		"with a tail":    secret + secret[3:20],
		"a header":       base64.StdEncoding.EncodeToString([]byte("Authorization: Bearer " + secret + "\r\n")),
		"after one byte": base64.URLEncoding.EncodeToString([]byte("x" + secret)),
		"hex":            fmt.Sprintf("%x %X", secret, secret),
		"other case":     strings.ToLower(secret) + strings.ToUpper(secret),
		"escaped":        strings.NewReplacer("M", "%4D", "D", "%44", "_", "%5f").Replace(secret),
		"half of hex":    fmt.Sprintf("%x", secret[:17]),
	} {
		got := tok.Redact(in)
		for i := range len(secret) - 15 {
			if strings.Contains(got, secret[i:i+15]) {
				t.Errorf("%s: %q still has a part of the token", name, got)
			}
		}
		if !strings.Contains(got, "[redacted]") {
			t.Errorf("%s: %q", name, got)
		}
	}
	const quoted = `a"quoted\and<odd>&%+/token`
	for _, in := range []string{quoted, fmt.Sprintf("%q", quoted), url.QueryEscape(quoted), url.PathEscape(quoted), html.EscapeString(quoted)} {
		if got := strings.Trim(parse(t, quoted).Redact(in), `"`); got != "[redacted]" {
			t.Errorf("Redact of %q = %q", in, got)
		}
	}
	// Every part counts, also where the token repeats itself.
	again := strings.Repeat("abcdefgh", 3) + "ijkl" + strings.Repeat("abcdefgh", 3) + "mnop"
	for from := range len(again) - 15 {
		if got := parse(t, again).Redact("." + again[from:from+15] + "."); got != ".[redacted]." {
			t.Errorf("Redact of the part at %d of a token with repetitions = %q", from, got)
		}
	}
	if got, want := parse(t, "short-one").Redact("a SHORT-one, a short-one"), "a [redacted], a [redacted]"; got != want {
		t.Errorf("Redact of a short token = %q, want %q", got, want)
	}
	if got := parse(t, "true").Redact(`{"result": true}`); got != `{"result": true}` {
		t.Errorf("Redact for a short token = %q", got)
	}
	if got := (token.Token{}).Redact("text"); got != "text" {
		t.Errorf("Redact for no token = %q", got)
	}
}

func BenchmarkRedact(b *testing.B) {
	tok, err := token.Parse(strings.Repeat(secret, 5))
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat(`{"comment": "File /etc/shop/site.conf is in the correct state", "result": true}, `, 10_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Redact(text)
	}
}

package token_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	for _, content := range []string{secret, secret + "\n", "\ufeff" + secret + "\r\n"} {
		tok, err := token.ReadFile(write("good", content))
		if err != nil || tok.Reveal() != secret {
			t.Errorf("ReadFile of %d bytes: %v", len(content), err)
		}
	}
	for name, want := range map[string]string{
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
	if got := parse(t, "true").Redact(`{"result": true}`); got != `{"result": true}` {
		t.Errorf("Redact for a short token = %q", got)
	}
	if got := (token.Token{}).Redact("text"); got != "text" {
		t.Errorf("Redact for no token = %q", got)
	}
}

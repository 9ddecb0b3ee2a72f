package token_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spirostack/spirodeploy/spirodeploy/spirotest"
	"github.com/spirostack/spirodeploy/spirodeploy/token"
)

func TestKnown(t *testing.T) {
	t.Parallel()
	const other = "another-token-of-the-run"
	known := token.Know(secret, " two-words-one-is \n"+other, "")
	known.Add(token.Token{})
	known.Add(parse(t, "added-later-on"))
	text := "a " + secret + " b " + strings.ToUpper(other) + " c two-words-one-is d added-later-on"
	const want = "a [redacted] b [redacted] c [redacted] d [redacted]"
	if got := known.Redact(text); got != want {
		t.Errorf("Redact = %q, want %q", got, want)
	}
	if _, err := known.Writer(failing{}).Write([]byte("x\n")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("error %v of a writer that fails", err)
	}
}

// TestKnowManyWords would not end if each word took time for all the others.
func TestKnowManyWords(t *testing.T) {
	t.Parallel()
	words := strings.Repeat("a word ", 200_000)
	known := token.Know(words, words+secret)
	known.AddText(words)
	if got := known.Redact("the word " + secret); got != "the word [redacted]" {
		t.Errorf("Redact = %q", got)
	}
}

// TestKnownWriter: a token may come in any number of pieces.
func TestKnownWriter(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("some text without an end ", 100)
	known := token.Know(secret, secret+"-and-more", "a-short-one")
	text := "a line\n" + long + secret + long + strings.ToUpper(secret) + "-and-more" + long + "a-short-one\n" + secret[:20] + "\n" + secret
	want := known.Redact(text)
	for _, size := range []int{1, 2, 7, 8, 15, 16, 64, 1000, 4096, len(text)} {
		var out bytes.Buffer
		w := known.Writer(&out)
		for part := range slices.Chunk([]byte(text), size) {
			if n, err := w.Write(part); n != len(part) || err != nil {
				t.Fatalf("wrote %d, %v", n, err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if strings.Contains(got, secret[:15]) || strings.Contains(got, secret[20:]) || strings.ReplaceAll(got, "[redacted]", "") != strings.ReplaceAll(want, "[redacted]", "") {
			t.Errorf("in pieces of %d: %q, want %q", size, got, want)
		}
	}
	var out bytes.Buffer
	w := known.Writer(&out)
	for _, line := range []string{"one\n", "two " + secret + "\n"} {
		if _, err := io.WriteString(w, line); err != nil || !strings.HasSuffix(out.String(), "\n") {
			t.Error("a whole line is held back")
		}
	}
}

// TestKnownNarrowed: what goes out for a project is known, too.
func TestKnownNarrowed(t *testing.T) {
	t.Parallel()
	whole := parse(t, spirotest.New(t, spirotest.Options{}).Token(time.Hour))
	narrow, err := whole.Narrow(time.Time{}, "shop")
	if err != nil {
		t.Fatal(err)
	}
	if narrow.Redact(whole.Reveal()) != "[redacted]" || narrow.Redact(narrow.Reveal()) != "[redacted]" {
		t.Error("a narrowed token does not redact itself, or not what it was made of")
	}
	known := new(token.Known)
	known.Add(whole, "shop")
	if got := known.Redact(whole.Reveal() + " " + narrow.Reveal()); strings.Trim(got, "[redact] ") != "" {
		t.Errorf("the token, narrowed or not, is still shown as %d bytes", len(got))
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, fs.ErrClosed }

func TestKnownError(t *testing.T) {
	t.Parallel()
	known := token.Know(secret)
	if known.Error(nil) != nil || !errors.Is(known.Error(fs.ErrClosed), fs.ErrClosed) {
		t.Error("an error without a token has changed")
	}
	_, err := os.Open(secret)
	got := known.Error(fmt.Errorf("read token: %w", err))
	var path *fs.PathError
	if !errors.Is(got, fs.ErrNotExist) || !errors.As(got, &path) || !strings.HasPrefix(got.Error(), "read token: open [redacted]: ") {
		t.Errorf("error %v", got)
	}
	if text := fmt.Sprintf("%v %+v %#v %q", got, got, got, got); strings.Contains(text, secret) {
		t.Error("the error shows the token")
	}
}

package jsontext_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/spirostack/spirodeploy/internal/jsontext"
)

// written returns members of an object, written through a buffer of some bytes.
func written(t *testing.T, size int, compact bool, text string, n float64) string {
	t.Helper()
	var b bytes.Buffer
	out := bufio.NewWriterSize(&b, size)
	w := jsontext.Writer{Out: out, Compact: compact}
	w.Open('{')
	w.Text("first", text)
	w.TextIfAny("maybe", text)
	w.Number("number", n)
	w.Texts("list", []string{text, "", text})
	w.Name("value")
	w.Value([]byte(`{"a": [1, {}, []], "b": ["x"]}`))
	w.Close('}')
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWriter: what is written is the same whatever room the buffer has, and package json reads
// it.
func TestWriter(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a", "a longer text in ASCII", `a "quoted" \\ text`, "tab\tand\x1b[31m", "Grüße ☃ 𝄞", "del\x7f", strings.Repeat("long ", 100), strings.Repeat("ä", 50) + "\n"} {
		for _, compact := range []bool{false, true} {
			want := written(t, 1<<16, compact, text, 12.5)
			for size := 16; size < 200; size++ {
				if got := written(t, size, compact, text, 12.5); got != want {
					t.Fatalf("with a buffer of %d bytes:\n%s\nwant\n%s", size, got, want)
				}
			}
			var read struct {
				First, Maybe string
				Number       float64
				List         []string
				Value        any
			}
			if err := json.Unmarshal([]byte(want), &read); err != nil {
				t.Fatalf("%s: %v", want, err)
			}
			if read.First != text || read.Maybe != text || read.Number != 12.5 || len(read.List) != 3 || read.List[2] != text {
				t.Errorf("%q is written as %s", text, want)
			}
			if strings.Contains(want, "\n") == compact {
				t.Errorf("compact is %t: %s", compact, want)
			}
			if i := strings.IndexFunc(want, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }); i >= 0 {
				t.Errorf("%q in %q acts on a terminal", want[i], want)
			}
		}
	}
}

package token

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spirostack/spirodeploy/internal/rawjson"
	"github.com/spirostack/spirodeploy/internal/retold"
)

// Known are tokens that must not be shown, whoever repeats them: a server, or the message
// about a token in the wrong place.
type Known struct{ secrets secrets }

// Know returns the tokens in texts, such as a variable or an argument. A text with white
// space in it is not a token, but each of its words may be one.
func Know(texts ...string) *Known {
	k := new(Known)
	k.AddText(strings.Join(texts, "\n"))
	return k
}

// AddText adds the tokens in a text, as [Know] does.
func (k *Known) AddText(text string) {
	k.add(strings.FieldsFunc(text, foreign)) // all at once: there may be very many words
}

// Add adds a token, and the token narrowed to each of the projects. It ignores a zero
// token.
func (k *Known) Add(t Token, projects ...string) {
	all := slices.Clone(t.secrets.list())
	for _, project := range projects {
		if narrow, err := t.Narrow(time.Time{}, project); err == nil {
			all = append(all, narrow.Reveal())
		}
	}
	k.add(all)
}

func (k *Known) add(secrets []string) {
	if len(secrets) > 0 {
		k.secrets = newSecrets(slices.Concat(k.secrets.list(), secrets)...)
	}
}

// Redact is [Token.Redact] for all tokens.
func (k *Known) Redact(s string) string { return k.secrets.redact(s) }

// Writer returns a writer to w that redacts tokens, also those that come in several calls
// of Write. It holds back the end of a line that may be the beginning of a token, so call
// Flush after text without a line end.
func (k *Known) Writer(w io.Writer) *Writer { return &Writer{known: k, w: w} }

// JSONWriter is [Known.Writer] for JSON, which stays JSON. It holds back a line until
// its end, or most of it if it is long; no text in JSON goes over the end of a line.
func (k *Known) JSONWriter(w io.Writer) *Writer { return &Writer{known: k, w: w, json: true} }

// A Writer redacts what is written. It may be used by several goroutines.
type Writer struct {
	known *Known
	w     io.Writer
	json  bool

	inside bool // whether what is held begins inside a text of JSON

	mu   sync.Mutex
	held []byte
}

func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = append(w.held, p...)
	if err := w.write(w.ready(len(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes the text that was held back.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.write(len(w.held))
}

func (w *Writer) write(n int) error {
	if n == 0 {
		return nil
	}
	out := w.held[:n]
	text := rawjson.View(out) // until out is written
	redacted := ""
	if w.json {
		redacted = w.known.secrets.redactJSON(text, w.inside)
		w.inside = out[n-1] != '\n' && endsInside(out, w.inside)
	} else {
		redacted = w.known.Redact(text)
	}
	if redacted != text {
		out = []byte(redacted)
	}
	_, err := w.w.Write(out)
	w.held = append(w.held[:0], w.held[n:]...)
	return err
}

// ready returns how much of what is held can be redacted, the last bytes of which
// have just come.
func (w *Writer) ready(fresh int) int {
	before := len(w.held) - fresh
	end := bytes.LastIndexByte(w.held[before:], '\n') + 1
	switch {
	case w.json && end > 0:
		return before + end
	case w.json && len(w.held) <= maxHeld:
		return 0
	}
	return w.known.cut(w.held)
}

// maxHeld is how much of a line of JSON is held back, in bytes.
const maxHeld = 256 << 10

// cut returns how much of a text can be redacted without what comes after it: no
// token has a line end in it, or is longer than the longest of its forms.
func (k *Known) cut(text []byte) int {
	if k.secrets.finder == nil {
		return len(text)
	}
	line, f := bytes.LastIndexByte(text, '\n')+1, k.secrets.finder()
	at := len(text) - line - f.longest - maxReference
	if at <= 0 {
		return line
	}
	rest := rawjson.View(text[line:])
	at, _ = escapeAt(rest, at)
	for from, to := range f.find(rest) {
		if from < at && at < to {
			at = from
		}
	}
	return line + at
}

// Error returns err. If the text has a token in it, it returns an error with the text
// redacted, in which [errors.Is] and [errors.As] still find the causes.
func (k *Known) Error(err error) error {
	if err == nil {
		return nil
	}
	if text := k.Redact(err.Error()); text != err.Error() {
		return retold.New(text, err)
	}
	return err
}
